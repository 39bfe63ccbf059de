package io.lamina.layers;

import java.util.regex.Pattern;

/**
 * A layer's name, given by the engine and never used again; also its directory's name. Immutable.
 *
 * @param text 1 to 128 of {@code A-Za-z0-9_.-}, starting with a letter or digit
 */
public record LayerId(String text) implements Comparable<LayerId> {
  private static final Pattern FORM = Pattern.compile("[A-Za-z0-9][A-Za-z0-9_.-]{0,127}");

  /**
   * @throws LayersException.Rejected if it is not of this form
   */
  public LayerId {
    if (!FORM.matcher(text).matches()) {
      String shown =
          text.length() <= 140 ? text : text.substring(0, 140) + "… (" + text.length() + ")";
      throw new LayersException.Rejected(
          "not a layer's id: '"
              + shown.replaceAll("\\p{Cntrl}", "?")
              + "'; 1 to 128 of A-Z a-z 0-9 _ . - are expected, the first a letter or digit");
    }
  }

  @Override
  public int compareTo(LayerId other) {
    return text.compareTo(other.text);
  }

  @Override
  public String toString() {
    return text;
  }
}
