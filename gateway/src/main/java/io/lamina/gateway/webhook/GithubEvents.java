package io.lamina.gateway.webhook;

import io.lamina.gateway.webhook.LeftOut.Reason;
import io.lamina.gateway.webhook.Reported.Other;
import io.lamina.gateway.webhook.Reported.Pushed;
import io.vertx.core.json.JsonObject;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;

/**
 * GitHub's events {@code registry_package} and {@code package} of its container registry. Their
 * times are those of the package and not of the push, so none is read. Stateless.
 *
 * <p>Source: GitHub's documentation, "Webhook events and payloads".
 */
final class GithubEvents {
  private static final Set<String> ACTIONS = Set.of("published", "updated");
  private static final Set<String> IMAGES = Set.of("container", "docker");

  private GithubEvents() {}

  static List<Reported> read(JsonObject body, int maxEvents) {
    return List.of(read(body));
  }

  private static Reported read(JsonObject body) {
    JsonObject published =
        Fields.object(body, body.containsKey("registry_package") ? "registry_package" : "package");
    if (published.isEmpty()) {
      return Other.of(
          body.containsKey("zen") ? "ping" : "?",
          Reason.NOT_A_PUSH,
          "neither a registry_package nor a package event");
    }
    String name = Fields.text(published, "name").orElse("?");
    String action = Fields.text(body, "action").orElse("?");
    if (!ACTIONS.contains(action)) {
      return Other.of(name, Reason.NOT_A_PUSH, "action '" + action + "'");
    }
    String type = Fields.text(published, "package_type").orElse("?");
    if (!IMAGES.contains(type.toLowerCase(Locale.ROOT))) {
      return Other.of(name, Reason.NOT_AN_IMAGE, "package type '" + type + "'");
    }
    JsonObject version = Fields.object(published, "package_version");
    Optional<String> tag =
        Fields.text(Fields.object(Fields.object(version, "container_metadata"), "tag"), "name");
    Optional<String> place = Fields.text(version, "package_url");
    if (tag.isEmpty()) {
      return Other.of(
          name, Reason.UNTAGGED, "a version without a tag, as the images of an index are");
    }
    if (place.isEmpty()) {
      return Other.of(name, Reason.MALFORMED, "package_version has no package_url");
    }
    return new Pushed(
        Optional.empty(),
        Fields.host(place.get()),
        // Owners are written as they like to be, and pulled in lower case.
        Fields.repository(place.get()).toLowerCase(Locale.ROOT),
        tag.get(),
        Optional.empty(),
        Optional.empty());
  }
}
