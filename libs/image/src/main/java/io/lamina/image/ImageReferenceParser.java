package io.lamina.image;

import java.nio.file.Path;
import java.util.Optional;

/** Reads the text forms of {@link ImageReference}. */
final class ImageReferenceParser {
  private ImageReferenceParser() {}

  static ImageReference parse(String text) {
    throw new ImageException.Rejected("not an image reference: '" + text + "'");
  }

  static String localName(Path file, Optional<String> ref) {
    return "local/" + ref.orElseGet(() -> file.getFileName() + ":latest");
  }
}
