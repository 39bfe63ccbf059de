package io.lamina.gateway.webhook;

import io.lamina.cvmfs.RepositoryName;
import io.lamina.image.ImageReference;
import io.lamina.image.Platform;
import io.lamina.image.policy.NamePattern;
import io.lamina.messaging.event.Precedence.Priority;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;

/**
 * What an operator sets for one webhook. Immutable.
 *
 * <p>Source: docs/webhooks.md, "Settings".
 *
 * @param secretFile holds what the registry proves itself by
 */
public record Webhook(
    String name,
    WebhookFormat format,
    Authentication authentication,
    Path secretFile,
    Source source,
    Target target,
    Ages ages) {

  /**
   * Whose images are taken.
   *
   * @param registry {@code HOST[:PORT]} that images are asked from, whatever a body says
   * @param alsoCalled names that bodies may give for it
   * @param images repositories that are meant
   */
  record Source(String registry, Set<String> alsoCalled, List<NamePattern> images) {
    Source {
      alsoCalled = Set.copyOf(alsoCalled);
      images = List.copyOf(images);
    }

    boolean isCalled(String host) {
      return names().contains(host.toLowerCase(Locale.ROOT));
    }

    Set<String> names() {
      Set<String> names = new HashSet<>(alsoCalled);
      names.add(registry);
      return names;
    }

    boolean has(ImageReference.Registry image) {
      return images.stream().anyMatch(pattern -> pattern.matches(image));
    }
  }

  /**
   * What is made of them.
   *
   * @param platforms none: linux/amd64
   * @param tenant who they count for where work waits
   */
  record Target(
      RepositoryName repository,
      List<Platform> platforms,
      Optional<ThinTemplate> thin,
      Priority priority,
      String tenant) {
    Target {
      platforms = List.copyOf(platforms);
    }
  }

  /**
   * How late an event may come.
   *
   * @param max events that are older are left out
   * @param pinned events that are older do not say any more what their tag shows
   */
  record Ages(Duration max, Duration pinned) {}
}
