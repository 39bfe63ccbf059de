package io.lamina.converter.plan;

import io.lamina.cvmfs.tree.FileTree;
import io.lamina.image.ImageException;
import io.lamina.image.ImageReference;
import io.lamina.image.ResolvedImage;
import io.lamina.image.policy.ImagePolicy;
import java.util.Optional;

/**
 * Which images a converter takes: where they come from, where their thin images may go, and how
 * large one platform of them may be. Immutable.
 *
 * <p>Source: docs/security.md, "Policies".
 *
 * @param maxLayers of one platform
 * @param maxBytes of one platform's layers as the registry has them, compressed
 * @param maxEntries of the merged tree: files, directories, links
 */
public record Admission(ImagePolicy policy, int maxLayers, long maxBytes, int maxEntries) {
  /** No rule but bounds that no image in use comes near. */
  public static final Admission OPEN =
      new Admission(ImagePolicy.OPEN, 500, 1L << 40, FileTree.DEFAULT_MAX_ENTRIES);

  /** What a converter takes unless it is told otherwise: thin images are pushed nowhere. */
  public static final Admission STANDARD =
      OPEN.withPolicy(ImagePolicy.of(Optional.empty(), Optional.empty(), Optional.empty()));

  public Admission {
    if (maxLayers < 1 || maxBytes < 1 || maxEntries < 1) {
      throw new IllegalArgumentException(
          "an image may have at least one layer, byte and entry, not "
              + maxLayers
              + ", "
              + maxBytes
              + ", "
              + maxEntries);
    }
  }

  public Admission withPolicy(ImagePolicy other) {
    return new Admission(other, maxLayers, maxBytes, maxEntries);
  }

  /**
   * Before anything is fetched.
   *
   * @throws ImageException.Rejected if the source or the thin image's place is not allowed
   */
  void check(ImageReference image, Optional<String> thinTarget) {
    if (image instanceof ImageReference.Registry source) {
      policy.checkSource(source);
    }
    thinTarget.ifPresent(
        target -> {
          if (ImageReference.parse(target) instanceof ImageReference.Registry place) {
            policy.checkThinTarget(place);
          }
        });
  }

  /**
   * Before any layer is asked for.
   *
   * @throws ImageException.Rejected if the image is too large
   */
  void check(ResolvedImage image) {
    String name = "the image for " + image.platform();
    if (image.layers().size() > maxLayers) {
      throw new ImageException.Rejected(
          name
              + " has "
              + image.layers().size()
              + " layers; at most "
              + maxLayers
              + " are allowed here (converter.image.layers)");
    }
    long bytes = 0;
    for (var layer : image.layers()) {
      // Each is at most 2^63 - 1, so the sum is looked at before it can overflow.
      if (layer.blob().sizeBytes() > maxBytes - bytes) {
        throw new ImageException.Rejected(
            name
                + " has more than "
                + maxBytes
                + " bytes of compressed layers, the most that is allowed here"
                + " (converter.image.size)");
      }
      bytes += layer.blob().sizeBytes();
    }
  }
}
