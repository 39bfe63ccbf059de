package io.lamina.image.layer;

import io.lamina.image.ImageException;

/** Number fields of tar headers: octal text, or base 256 where the first bit is set. */
final class TarNumbers {
  private TarNumbers() {}

  /**
   * @param what names the field and its entry in a message
   * @throws ImageException.Rejected if the field holds no number of 63 bits
   */
  static long parse(byte[] header, int offset, int length, String what) {
    return (header[offset] & 0x80) != 0
        ? base256(header, offset, length, what)
        : octal(header, offset, length, what);
  }

  private static long octal(byte[] header, int offset, int length, String what) {
    int start = offset;
    int end = offset + length;
    while (start < end && blank(header[start])) {
      start++;
    }
    while (end > start && blank(header[end - 1])) {
      end--;
    }
    long value = 0;
    for (int i = start; i < end; i++) {
      int b = header[i];
      if (b == 0) {
        // Old writers end the number with a NUL and leave something behind it.
        break;
      }
      if (b < '0' || b > '7' || value >>> 60 != 0) {
        throw new ImageException.Rejected(
            what + " is not a number: '" + LayerPath.display(copy(header, offset, length)) + "'");
      }
      value = value << 3 | (b - '0');
    }
    return value;
  }

  private static long base256(byte[] header, int offset, int length, String what) {
    boolean negative = (header[offset] & 0x40) != 0;
    long value = negative ? -1 : 0;
    for (int i = 0; i < length; i++) {
      int b = header[offset + i] & 0xff;
      if (i == 0) {
        b = negative ? b : b & 0x7f;
      }
      long shifted = value << 8;
      if (shifted >> 8 != value) {
        throw new ImageException.Rejected(what + " does not fit into 63 bits");
      }
      value = shifted | b;
      if (negative != value < 0) {
        throw new ImageException.Rejected(what + " does not fit into 63 bits");
      }
    }
    return value;
  }

  private static boolean blank(byte b) {
    return b == ' ' || b == 0;
  }

  private static byte[] copy(byte[] header, int offset, int length) {
    return java.util.Arrays.copyOfRange(header, offset, offset + length);
  }
}
