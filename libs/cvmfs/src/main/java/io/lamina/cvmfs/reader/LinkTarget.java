package io.lamina.cvmfs.reader;

import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Variables in symbolic links: {@code $(NAME)} and {@code $(NAME:-default)}.
 *
 * <p>Source: docs/format/catalogs.md, "Symbolic links".
 */
public final class LinkTarget {
  private LinkTarget() {}

  /**
   * The target with its variables replaced: an unset one by its default, or by nothing. There is no
   * escape; a dollar sign that starts no variable stays as it is.
   */
  public static byte[] expand(byte[] raw, Map<String, String> environment) {
    ByteArrayOutputStream out = new ByteArrayOutputStream(raw.length);
    int i = 0;
    while (i < raw.length) {
      int end = startsVariable(raw, i) ? indexOf(raw, ')', i + 2, raw.length) : -1;
      if (end < 0) {
        out.write(raw[i]);
        i++;
      } else {
        out.writeBytes(value(raw, i + 2, end, environment));
        i = end + 1;
      }
    }
    return out.toByteArray();
  }

  private static boolean startsVariable(byte[] raw, int i) {
    return raw[i] == '$' && i + 2 < raw.length && raw[i + 1] == '(';
  }

  private static byte[] value(byte[] raw, int start, int end, Map<String, String> environment) {
    int colon = indexOf(raw, ':', start, end);
    while (colon >= 0 && raw[colon + 1] != '-') {
      colon = indexOf(raw, ':', colon + 1, end);
    }
    int nameEnd = colon < 0 ? end : colon;
    String name = new String(raw, start, nameEnd - start, StandardCharsets.UTF_8);
    @Nullable String value = environment.get(name);
    if (value != null) {
      return value.getBytes(StandardCharsets.UTF_8);
    }
    int defaultStart = colon < 0 ? end : Math.min(colon + 2, end);
    return Arrays.copyOfRange(raw, defaultStart, end);
  }

  private static int indexOf(byte[] raw, char wanted, int start, int end) {
    for (int i = start; i < end; i++) {
      if (raw[i] == wanted) {
        return i;
      }
    }
    return -1;
  }
}
