package io.lamina.image.thin;

import io.lamina.image.Digest;
import io.lamina.image.ImageException;
import java.util.List;
import java.util.Optional;

/**
 * What {@code thin.json} says: the folders that make a layer's files. Immutable. Source:
 * docs/format/thin-images.md.
 *
 * @param layers bottom first; they come on top of the layers below this one
 * @param origin the image that it stands for
 * @param comment for people
 */
public record ThinDescriptor(
    List<Layer> layers, Optional<String> origin, Optional<String> comment) {
  /** The version that is written; files of any {@code 1.x} are read. */
  public static final String VERSION = "1.0";

  /** As many as one file system can stack. */
  public static final int MAX_LAYERS = 500;

  private static final int MAX_TEXT_CHARS = 4096;

  /**
   * One folder.
   *
   * @param digest of the compressed layer that it was made from; none for other folders
   */
  public record Layer(Optional<Digest> digest, CvmfsUrl url) {}

  public ThinDescriptor {
    layers = List.copyOf(layers);
    if (layers.size() > MAX_LAYERS) {
      throw new ImageException.Rejected(
          "a thin image of " + layers.size() + " layers; the limit is " + MAX_LAYERS);
    }
    checkText("origin", origin);
    checkText("comment", comment);
  }

  private static void checkText(String field, Optional<String> text) {
    if (text.isPresent()
        && (text.get().length() > MAX_TEXT_CHARS
            || text.get().chars().anyMatch(Character::isISOControl))) {
      throw new ImageException.Rejected(
          "the field '"
              + field
              + "' of a thin image has control characters or more than "
              + MAX_TEXT_CHARS
              + " characters");
    }
  }

  /** The descriptor of published layers. */
  public static ThinDescriptor ofLayers(String repository, List<Digest> layers, String origin) {
    return new ThinDescriptor(
        layers.stream()
            .map(digest -> new Layer(Optional.of(digest), CvmfsUrl.ofLayer(repository, digest)))
            .toList(),
        Optional.of(origin),
        Optional.empty());
  }
}
