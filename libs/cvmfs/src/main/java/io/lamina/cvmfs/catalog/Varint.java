package io.lamina.cvmfs.catalog;

/**
 * SQLite's variable-length integers: seven bits a byte, high ones first; a ninth byte holds eight.
 *
 * <p>Source: SQLite's "Database File Format", section 1.6.
 */
final class Varint {
  private static final int BITS = 7;
  private static final int CONTINUES = 0x80;
  private static final int MAX_BYTES = 9;

  private Varint() {}

  static int length(long value) {
    int length = 1;
    for (long rest = value >>> BITS; rest != 0 && length < MAX_BYTES; rest >>>= BITS) {
      length++;
    }
    return length;
  }

  /** Writes {@code value} and returns how many bytes it took. */
  static int write(byte[] target, int position, long value) {
    int length = length(value);
    long rest = value;
    int last = position + length - 1;
    if (length == MAX_BYTES) {
      target[last] = (byte) rest;
      rest >>>= Byte.SIZE;
    } else {
      target[last] = (byte) (rest & (CONTINUES - 1));
      rest >>>= BITS;
    }
    for (int i = last - 1; i >= position; i--) {
      target[i] = (byte) (rest & (CONTINUES - 1) | CONTINUES);
      rest >>>= BITS;
    }
    return length;
  }
}
