package io.lamina.layers;

import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * What an engine may ask for when it makes a layer. Immutable.
 *
 * @param sizeBytes the most that the layer may hold; 0 for no bound of its own
 */
public record LayerOptions(long sizeBytes) {
  /** Nothing was asked for. */
  public static final LayerOptions NONE = new LayerOptions(0);

  private static final Pattern SIZE =
      Pattern.compile("([0-9]{1,15})(?:\\.([0-9]{1,6}))? ?([kKmMgGtTpP]?)[iI]?[bB]?");

  public LayerOptions {
    if (sizeBytes < 0) {
      throw new LayersException.Rejected("a layer's size below 0: " + sizeBytes);
    }
  }

  /**
   * Reads an engine's storage options, of which there is one: {@code size}, such as {@code 512M} or
   * {@code 1.5GB}; units are powers of 1024.
   *
   * @throws LayersException.Rejected for another option, or a size that is none
   */
  public static LayerOptions parse(Map<String, String> options) {
    long size = 0;
    for (Map.Entry<String, String> option : options.entrySet()) {
      if (!option.getKey().equalsIgnoreCase("size")) {
        throw new LayersException.Rejected(
            "unknown storage option '" + printable(option.getKey()) + "'; only 'size' is known");
      }
      size = parseSize(option.getValue());
    }
    return new LayerOptions(size);
  }

  /**
   * A size in bytes as people write it, units as powers of 1024.
   *
   * @throws LayersException.Rejected if it is not a size of 1 byte to 8 EiB
   */
  public static long parseSize(String text) {
    Matcher matcher = SIZE.matcher(text);
    if (!matcher.matches()) {
      throw new LayersException.Rejected("not a size: '" + printable(text) + "' (as 512M or 2G)");
    }
    String unit = matcher.group(3);
    int power = unit.isEmpty() ? 0 : "KMGTP".indexOf(Character.toUpperCase(unit.charAt(0))) + 1;
    String fraction = matcher.group(2) == null ? "0" : "0." + matcher.group(2);
    double size =
        (Double.parseDouble(matcher.group(1)) + Double.parseDouble(fraction))
            * Math.pow(1024, power);
    if (size < 1 || size >= Long.MAX_VALUE) {
      throw new LayersException.Rejected("not a size of a layer: '" + printable(text) + "'");
    }
    return (long) size;
  }

  private static String printable(String text) {
    String shown = text.length() <= 100 ? text : text.substring(0, 100) + "…";
    return shown.replaceAll("\\p{Cntrl}", "?");
  }
}
