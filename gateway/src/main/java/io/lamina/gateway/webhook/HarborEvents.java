package io.lamina.gateway.webhook;

import io.lamina.gateway.webhook.LeftOut.Reason;
import io.lamina.gateway.webhook.Reported.Other;
import io.lamina.gateway.webhook.Reported.Pushed;
import io.vertx.core.json.JsonObject;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * Harbor's webhooks, in its default format and as CloudEvents. Stateless.
 *
 * <p>Source: Harbor's documentation, "Configure Webhook Notifications".
 */
final class HarborEvents {
  private static final Set<String> PUSHES = Set.of("PUSH_ARTIFACT", "harbor.artifact.pushed");
  private static final Set<String> DELETIONS = Set.of("DELETE_ARTIFACT", "harbor.artifact.deleted");

  private HarborEvents() {}

  static List<Reported> read(JsonObject body, int maxEvents) {
    boolean isCloudEvent = body.containsKey("specversion");
    String type = Fields.text(body, "type").orElse("?");
    if (DELETIONS.contains(type)) {
      return List.of(
          Other.of(
              type,
              Reason.NOT_A_PUSH,
              "what a registry deletes stays published; take it away with 'lamina remove'"));
    }
    if (!PUSHES.contains(type)) {
      return List.of(Other.of(type, Reason.NOT_A_PUSH, "events of this type start nothing"));
    }
    JsonObject data = Fields.object(body, isCloudEvent ? "data" : "event_data");
    Optional<String> id = isCloudEvent ? Fields.text(body, "id") : Optional.empty();
    Optional<Instant> at =
        isCloudEvent ? Fields.time(body, "time") : Fields.seconds(body, "occur_at");
    Optional<String> repository = Fields.text(Fields.object(data, "repository"), "repo_full_name");
    return Fields.events(data, "resources", maxEvents).stream()
        .map(item -> resource(item, repository, id, at))
        .toList();
  }

  private static Reported resource(
      Object item, Optional<String> repository, Optional<String> id, Optional<Instant> at) {
    if (!(item instanceof JsonObject resource)) {
      return Other.of("?", Reason.MALFORMED, "a resource is no object");
    }
    String place = Fields.text(resource, "resource_url").orElse("");
    String name = repository.orElseGet(() -> Fields.repository(place));
    // Harbor names what has no tag by its digest in this field.
    Optional<String> tag = Fields.text(resource, "tag").filter(t -> !t.startsWith("sha256:"));
    if (tag.isEmpty()) {
      return Other.of(
          name, Reason.UNTAGGED, "pushed by its digest, without a tag to be published under");
    }
    return new Pushed(
        id, Fields.host(place), name, tag.get(), Fields.digest(resource, "digest"), at);
  }
}
