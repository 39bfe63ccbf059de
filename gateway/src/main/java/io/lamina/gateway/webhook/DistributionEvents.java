package io.lamina.gateway.webhook;

import io.lamina.gateway.webhook.LeftOut.Reason;
import io.lamina.gateway.webhook.Reported.Other;
import io.lamina.gateway.webhook.Reported.Pushed;
import io.lamina.image.manifest.MediaTypes;
import io.vertx.core.json.JsonObject;
import java.util.List;
import java.util.Optional;

/**
 * Notifications of the distribution project's registry, which GitLab's registry sends too: an
 * envelope with events of manifests and layers. Stateless.
 *
 * <p>Source: distribution's documentation, "Work with notifications".
 */
final class DistributionEvents {
  private DistributionEvents() {}

  static List<Reported> read(JsonObject body, int maxEvents) {
    return Fields.events(body, "events", maxEvents).stream()
        .map(DistributionEvents::event)
        .toList();
  }

  private static Reported event(Object item) {
    if (!(item instanceof JsonObject event)) {
      return Other.of("?", Reason.MALFORMED, "an event is no object");
    }
    JsonObject target = Fields.object(event, "target");
    String repository = Fields.text(target, "repository").orElse("?");
    String action = Fields.text(event, "action").orElse("?");
    Optional<String> tag = Fields.text(target, "tag");
    String what = repository + tag.map(t -> ":" + t).orElse("");
    if (!action.equals("push")) {
      return Other.of(what, Reason.NOT_A_PUSH, "action '" + action + "'");
    }
    String type = Fields.text(target, "mediaType").orElse("?");
    if (!MediaTypes.ACCEPTED_MANIFESTS.contains(type)) {
      return Other.of(what, Reason.NOT_AN_IMAGE, "media type '" + type + "'");
    }
    if (tag.isEmpty()) {
      return Other.of(
          what, Reason.UNTAGGED, "pushed by its digest, without a tag to be published under");
    }
    return new Pushed(
        Fields.text(event, "id"),
        Fields.text(Fields.object(event, "request"), "host"),
        repository,
        tag.get(),
        Fields.digest(target, "digest"),
        Fields.time(event, "timestamp"));
  }
}
