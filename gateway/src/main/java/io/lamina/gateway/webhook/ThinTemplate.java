package io.lamina.gateway.webhook;

import io.lamina.image.ImageException;
import io.lamina.image.ImageReference;
import java.util.regex.Pattern;

/**
 * Where the thin images of a webhook's images go: a reference with {@code {repository}} and {@code
 * {tag}} in it. Immutable.
 *
 * @param text such as {@code registry.example.org/thin/{repository}:{tag}}
 */
record ThinTemplate(String text) {
  private static final String REPOSITORY = "{repository}";
  private static final String TAG = "{tag}";

  /** Stand in for any repository and tag. */
  private static final String ANY_REPOSITORY = "any/repository-that-there-is";

  private static final String ANY_TAG = "any-tag-that-there-is";

  /**
   * @throws ImageException.Rejected if it cannot be filled in, or all images had the same place
   */
  ThinTemplate {
    if (!text.contains(REPOSITORY) || !text.contains(TAG)) {
      throw new ImageException.Rejected(
          "the place of thin images needs "
              + REPOSITORY
              + " and "
              + TAG
              + ", such as registry.example.org/thin/{repository}:{tag}; else images would replace"
              + " each other");
    }
    filled(text, ANY_REPOSITORY, ANY_TAG);
  }

  /**
   * The place for one image.
   *
   * @throws ImageException.Rejected if the name is none, or too long
   */
  ImageReference.Registry place(ImageReference.Registry image) {
    return filled(text, image.repository(), image.tag().orElseThrow());
  }

  private static ImageReference.Registry filled(String template, String repository, String tag) {
    String reference = template.replace(REPOSITORY, repository).replace(TAG, tag);
    if (ImageReference.parse(reference) instanceof ImageReference.Registry place
        && place.tag().isPresent()
        && place.digest().isEmpty()) {
      return place;
    }
    throw new ImageException.Rejected(
        "'" + template + "' is no place for thin images; name a registry, repository and tag");
  }

  /** Whether thin images go to such a place: what is pushed there is not converted again. */
  boolean leadsTo(String publicName) {
    String every =
        Pattern.quote(filled(text, ANY_REPOSITORY, ANY_TAG).publicName())
            .replace(ANY_REPOSITORY, "\\E.+\\Q")
            .replace(ANY_TAG, "\\E.+\\Q");
    return Pattern.matches(every, publicName);
  }

  /** Whether each image of a registry would be replaced by its thin one. */
  boolean replacesImagesOf(String host) {
    return filled(text, ANY_REPOSITORY, ANY_TAG)
        .publicName()
        .equals(host + "/" + ANY_REPOSITORY + ":" + ANY_TAG);
  }
}
