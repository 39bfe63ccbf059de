package io.lamina.journal.site;

import io.lamina.image.ImageException;
import io.lamina.image.ImageReference;
import io.lamina.image.policy.NamePattern;
import java.util.List;
import java.util.Optional;

/**
 * Which images of another site's repository are followed. Immutable.
 *
 * @param images names of repositories of registries; none: every image, and layers of no image
 * @param maxImageBytes what an image's layers may weigh together, compressed, as its manifests say
 * @param followsRemovals whether an image that the other site takes away goes here too
 */
public record SiteSelection(
    List<NamePattern> images, Optional<Long> maxImageBytes, boolean followsRemovals) {
  /** Everything. */
  public static final SiteSelection ALL = new SiteSelection(List.of(), Optional.empty(), true);

  public SiteSelection {
    images = List.copyOf(images);
    maxImageBytes.ifPresent(
        max -> {
          if (max < 1) {
            throw new IllegalArgumentException("an image's size is at least 1 byte, not " + max);
          }
        });
  }

  /** Whether images have to be told apart. */
  boolean isPartial() {
    return !images.isEmpty() || maxImageBytes.isPresent();
  }

  /** Whether the image of this public name is meant, whatever its size. */
  boolean includes(String publicName) {
    return images.isEmpty() || images.stream().anyMatch(pattern -> matches(pattern, publicName));
  }

  private static boolean matches(NamePattern pattern, String publicName) {
    if (pattern.equals(NamePattern.ALL)) {
      return true;
    }
    int slash = publicName.indexOf('/');
    int digest = publicName.indexOf('@');
    String named = digest < 0 ? publicName : publicName.substring(0, digest);
    int colon = named.lastIndexOf(':');
    String repository = colon > named.lastIndexOf('/') ? named.substring(0, colon) : named;
    if (slash < 1 || repository.length() <= slash + 1) {
      return false;
    }
    try {
      return pattern.matches(
          new ImageReference.Registry(
              publicName.substring(0, slash),
              repository.substring(slash + 1),
              Optional.of("latest"),
              Optional.empty()));
    } catch (ImageException.Rejected e) {
      // A name that no registry has is of no registry's repository.
      return false;
    }
  }
}
