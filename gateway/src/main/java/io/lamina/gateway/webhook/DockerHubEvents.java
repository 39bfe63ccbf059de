package io.lamina.gateway.webhook;

import io.lamina.gateway.webhook.LeftOut.Reason;
import io.lamina.gateway.webhook.Reported.Other;
import io.lamina.gateway.webhook.Reported.Pushed;
import io.vertx.core.json.JsonObject;
import java.util.List;
import java.util.Optional;

/**
 * Docker Hub's webhooks. The address that they want to be called back at is not called. Stateless.
 *
 * <p>Source: Docker's documentation, "Webhooks".
 */
final class DockerHubEvents {
  private DockerHubEvents() {}

  static List<Reported> read(JsonObject body, int maxEvents) {
    JsonObject push = Fields.object(body, "push_data");
    Optional<String> repository = Fields.text(Fields.object(body, "repository"), "repo_name");
    Optional<String> tag = Fields.text(push, "tag");
    if (repository.isEmpty() || tag.isEmpty()) {
      return List.of(
          Other.of(
              repository.orElse("?"),
              Reason.NOT_A_PUSH,
              "the body has no repository.repo_name or no push_data.tag"));
    }
    String name = repository.get();
    return List.of(
        new Pushed(
            Optional.empty(),
            Optional.empty(),
            name.contains("/") ? name : "library/" + name,
            tag.get(),
            Optional.empty(),
            Fields.seconds(push, "pushed_at")));
  }
}
