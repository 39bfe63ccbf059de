package io.lamina.image;

import io.lamina.image.internal.Quoted;
import java.util.Optional;
import java.util.regex.Pattern;

/**
 * What an image runs on, as in OCI indexes: {@code os/architecture[/variant]}. Immutable.
 *
 * @param variant such as {@code v7} for arm; empty matches any
 */
public record Platform(String os, String architecture, Optional<String> variant) {
  // Before any constant that the constructor checks.
  private static final Pattern WORD = Pattern.compile("[a-z0-9._-]{1,32}");

  public static final Platform LINUX_AMD64 = new Platform("linux", "amd64", Optional.empty());

  public Platform {
    checkWord(os);
    checkWord(architecture);
    variant.ifPresent(Platform::checkWord);
  }

  /**
   * Reads {@code os/architecture[/variant]}.
   *
   * @throws ImageException.Rejected if the text is anything else
   */
  public static Platform parse(String text) {
    String[] parts = text.split("/", -1);
    if (parts.length != 2 && parts.length != 3) {
      throw new ImageException.Rejected(
          "not a platform (os/architecture[/variant]): " + Quoted.of(text));
    }
    return new Platform(
        parts[0], parts[1], parts.length == 3 ? Optional.of(parts[2]) : Optional.empty());
  }

  private static void checkWord(String word) {
    if (!WORD.matcher(word).matches()) {
      throw new ImageException.Rejected("not a platform component: " + Quoted.of(word));
    }
  }

  @Override
  public String toString() {
    return os + "/" + architecture + variant.map(v -> "/" + v).orElse("");
  }
}
