package io.lamina.gateway.webhook;

import io.lamina.settings.ClosestName;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/**
 * What kind of registry sends the deliveries. Immutable.
 *
 * <p>Source: docs/webhooks.md, "Registries".
 */
public enum WebhookFormat {
  DISTRIBUTION("", DistributionEvents::read),
  HARBOR("", HarborEvents::read),
  QUAY("quay.io", QuayEvents::read),
  GITHUB("ghcr.io", GithubEvents::read),
  DOCKER_HUB("docker.io", DockerHubEvents::read);

  /** No format, though one looks for it. */
  private static final String GITLAB = "gitlab";

  private final String registry;
  private final EventReader reader;

  WebhookFormat(String registry, EventReader reader) {
    this.registry = registry;
    this.reader = reader;
  }

  /**
   * Reads a format's name.
   *
   * @throws IllegalArgumentException telling the names that are known
   */
  static WebhookFormat named(String name) {
    List<String> known = Arrays.stream(values()).map(WebhookFormat::text).toList();
    if (name.equals(GITLAB)) {
      throw new IllegalArgumentException(
          "GitLab's registry reports as CNCF's does: set it to '" + DISTRIBUTION.text() + "'");
    }
    if (!known.contains(name)) {
      throw new IllegalArgumentException(
          "'" + name + "' is no format of webhooks" + ClosestName.hint(name, known));
    }
    return values()[known.indexOf(name)];
  }

  public String text() {
    return name().toLowerCase(Locale.ROOT).replace('_', '-');
  }

  /** Where images are if the settings say nothing. */
  Optional<String> usualRegistry() {
    return Optional.of(registry).filter(host -> !host.isEmpty());
  }

  /** How these registries prove themselves; none where they can in no good way. */
  Optional<Authentication> usualAuthentication() {
    return switch (this) {
      case GITHUB -> Optional.of(new Authentication.Signature());
      case DISTRIBUTION, HARBOR, QUAY ->
          Optional.of(new Authentication.Header(Authentication.Header.STANDARD));
      case DOCKER_HUB -> Optional.empty();
    };
  }

  EventReader reader() {
    return reader;
  }
}
