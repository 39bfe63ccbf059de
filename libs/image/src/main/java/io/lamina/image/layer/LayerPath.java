package io.lamina.image.layer;

import io.lamina.image.ImageException;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/**
 * Where an entry lies in its layer, as raw bytes: relative, without empty, {@code .} or {@code ..}
 * components and without NUL. The layer's root is empty.
 *
 * <p>Source: docs/conversion.md, "Names". Immutable.
 */
public final class LayerPath {
  /** The longest name that a directory may hold, in bytes. */
  public static final int MAX_NAME_BYTES = 255;

  public static final LayerPath ROOT = new LayerPath(new byte[0]);

  private final byte[] bytes;

  private LayerPath(byte[] bytes) {
    this.bytes = bytes;
  }

  /**
   * Reads a name as archives write it: leading {@code /} and {@code ./}, doubled and trailing
   * slashes and {@code .} components are dropped.
   *
   * @throws ImageException.Rejected if a component is {@code ..} or too long, the path is too deep
   *     or too long, or holds a NUL
   */
  public static LayerPath of(byte[] raw, LayerLimits limits) {
    byte[] clean = new byte[raw.length];
    int length = 0;
    int depth = 0;
    int start = 0;
    for (int i = 0; i <= raw.length; i++) {
      if (i < raw.length && raw[i] == 0) {
        throw new ImageException.Rejected("NUL in the name of entry '" + display(raw) + "'");
      }
      if (i == raw.length || raw[i] == '/') {
        int size = i - start;
        boolean dot = size == 1 && raw[start] == '.';
        if (size == 2 && raw[start] == '.' && raw[start + 1] == '.') {
          throw new ImageException.Rejected(
              "entry '" + display(raw) + "' points out of the layer: '..' in its path");
        }
        if (size > MAX_NAME_BYTES) {
          throw new ImageException.Rejected(
              "a name of "
                  + size
                  + " bytes (limit "
                  + MAX_NAME_BYTES
                  + ") in entry '"
                  + display(raw)
                  + "'");
        }
        if (size > 0 && !dot) {
          if (length > 0) {
            clean[length++] = '/';
          }
          System.arraycopy(raw, start, clean, length, size);
          length += size;
          depth++;
        }
        start = i + 1;
      }
    }
    if (length > limits.maxPathBytes()) {
      throw new ImageException.Rejected(
          "a path of "
              + length
              + " bytes (limit "
              + limits.maxPathBytes()
              + "): '"
              + display(raw)
              + "'");
    }
    if (depth > limits.maxDepth()) {
      throw new ImageException.Rejected(
          "entry '"
              + display(raw)
              + "' lies "
              + depth
              + " directories deep (limit "
              + limits.maxDepth()
              + ")");
    }
    return length == 0 ? ROOT : new LayerPath(Arrays.copyOf(clean, length));
  }

  /**
   * The name with each {@code ..} taken away together with the component before it, as text; what
   * would climb out of a relative name stays, and the root's parent is the root.
   */
  static byte[] folded(byte[] raw) {
    if (!hasDots(raw)) {
      return raw;
    }
    boolean absolute = raw[0] == '/';
    byte[] out = new byte[raw.length];
    int length = 0;
    int start = 0;
    for (int i = 0; i <= raw.length; i++) {
      if (i < raw.length && raw[i] != '/') {
        continue;
      }
      int size = i - start;
      boolean up = size == 2 && raw[start] == '.' && raw[start + 1] == '.';
      boolean nothing = size == 0 || size == 1 && raw[start] == '.';
      if (up && length > 0 && !endsWithDots(out, length)) {
        while (length > 0 && out[--length] != '/') {}
      } else if (!nothing && !(up && absolute)) {
        if (length > 0) {
          out[length++] = '/';
        }
        System.arraycopy(raw, start, out, length, size);
        length += size;
      }
      start = i + 1;
    }
    return Arrays.copyOf(out, length);
  }

  private static boolean endsWithDots(byte[] path, int length) {
    return length >= 2
        && path[length - 1] == '.'
        && path[length - 2] == '.'
        && (length == 2 || path[length - 3] == '/');
  }

  private static boolean hasDots(byte[] raw) {
    for (int i = 0; i + 1 < raw.length; i++) {
      if (raw[i] == '.' && raw[i + 1] == '.') {
        return true;
      }
    }
    return false;
  }

  public boolean isRoot() {
    return bytes.length == 0;
  }

  /** A copy of the raw bytes, components separated by single slashes. */
  public byte[] bytes() {
    return bytes.clone();
  }

  /** The last component; empty for the root. */
  public byte[] name() {
    return Arrays.copyOfRange(bytes, lastSlash() + 1, bytes.length);
  }

  /** The directory that holds this entry; the root's parent is the root. */
  public LayerPath parent() {
    int slash = lastSlash();
    return slash < 0 ? ROOT : new LayerPath(Arrays.copyOf(bytes, slash));
  }

  /** The entry of this name (one component, checked by the caller) beside this one. */
  LayerPath sibling(byte[] name) {
    int keep = lastSlash() + 1;
    byte[] other = Arrays.copyOf(bytes, keep + name.length);
    System.arraycopy(name, 0, other, keep, name.length);
    return new LayerPath(other);
  }

  /** Whether some component before the last one starts with these bytes. */
  boolean hasParentStartingWith(byte[] prefix) {
    int end = lastSlash();
    int start = 0;
    while (start < end) {
      int stop = start;
      while (bytes[stop] != '/') {
        stop++;
      }
      if (stop - start >= prefix.length
          && Arrays.equals(bytes, start, start + prefix.length, prefix, 0, prefix.length)) {
        return true;
      }
      start = stop + 1;
    }
    return false;
  }

  private int lastSlash() {
    int i = bytes.length - 1;
    while (i >= 0 && bytes[i] != '/') {
      i--;
    }
    return i;
  }

  /** For messages: UTF-8 with replacement, control characters escaped, shortened. */
  public static String display(byte[] raw) {
    String text = new String(raw, 0, Math.min(raw.length, 300), StandardCharsets.UTF_8);
    StringBuilder shown = new StringBuilder(text.length());
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      if (Character.isISOControl(c)) {
        shown.append(String.format("\\x%02x", (int) c));
      } else {
        shown.append(c);
      }
    }
    return raw.length > 300 ? shown + "…" : shown.toString();
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof LayerPath that && Arrays.equals(bytes, that.bytes);
  }

  @Override
  public int hashCode() {
    return Arrays.hashCode(bytes);
  }

  /** For people: bytes that are not UTF-8 are replaced; the root shows as {@code .}. */
  @Override
  public String toString() {
    return isRoot() ? "." : display(bytes);
  }
}
