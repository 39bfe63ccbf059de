package io.lamina.gateway.webhook;

import io.lamina.gateway.webhook.LeftOut.Reason;
import io.lamina.gateway.webhook.Reported.Other;
import io.lamina.gateway.webhook.Reported.Pushed;
import io.vertx.core.json.JsonObject;
import java.util.List;
import java.util.Optional;

/**
 * Quay's notification "Push to Repository": the tags of one repository, without digest or time.
 * Stateless.
 *
 * <p>Source: Quay's documentation, "Repository notifications".
 */
final class QuayEvents {
  private QuayEvents() {}

  static List<Reported> read(JsonObject body, int maxEvents) {
    String place = Fields.text(body, "docker_url").orElse("");
    String name = Fields.text(body, "repository").orElseGet(() -> Fields.repository(place));
    if (!body.containsKey("updated_tags")) {
      return List.of(
          Other.of(name, Reason.NOT_A_PUSH, "no updated_tags: not of a push to a repository"));
    }
    return Fields.events(body, "updated_tags", maxEvents).stream()
        .<Reported>map(
            item ->
                item instanceof String tag && !tag.isEmpty()
                    ? new Pushed(
                        Optional.empty(),
                        Fields.host(place),
                        name,
                        tag,
                        Optional.empty(),
                        Optional.empty())
                    : Other.of(name, Reason.MALFORMED, "a tag is no text"))
        .toList();
  }
}
