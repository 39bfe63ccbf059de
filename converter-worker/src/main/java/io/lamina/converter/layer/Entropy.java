package io.lamina.converter.layer;

/**
 * Tells content that no compressor makes smaller: archives, pictures, encrypted data. A function of
 * the bytes alone, so that equal content is always stored alike.
 *
 * <p>Source: docs/conversion.md, "Content that does not compress".
 */
final class Entropy {
  /** Shorter content is always compressed: it costs little, and a sample says little. */
  static final int MIN_BYTES = 1 << 14;

  private static final int WINDOWS = 4;
  private static final int WINDOW_BYTES = 1 << 11;
  private static final int SAMPLES = WINDOWS * WINDOW_BYTES;

  /**
   * Byte values of noise, counted in a sample of 8192, give a sum of squares of about 32 × 8192 +
   * 8192; this is 3 % above, far more than chance allows and far below any text or code.
   */
  private static final long MAX_SUM_OF_SQUARES = 278_500;

  private static final int TABLE_BITS = 12;

  /** Four bytes come again about once in a hundred samples of noise. */
  private static final int MAX_REPEATS = 16;

  private Entropy() {}

  /** Whether four windows, spread over the content, look like noise. */
  static boolean isNoise(byte[] content, int offset, int length) {
    if (length < MIN_BYTES) {
      return false;
    }
    int[] counts = new int[256];
    int[] seen = new int[1 << TABLE_BITS];
    int pairs = 0;
    int repeats = 0;
    for (int w = 0; w < WINDOWS; w++) {
      int at = offset + (int) ((long) (length - WINDOW_BYTES) * w / (WINDOWS - 1));
      int previous = -1;
      int last4 = 0;
      for (int i = at; i < at + WINDOW_BYTES; i++) {
        int value = content[i] & 0xff;
        counts[value]++;
        pairs += value == previous ? 1 : 0;
        previous = value;
        last4 = last4 << 8 | value;
        int slot = last4 * 0x9E3779B1 >>> 32 - TABLE_BITS;
        repeats += seen[slot] == last4 ? 1 : 0;
        seen[slot] = last4;
      }
    }
    long sum = 0;
    for (int count : counts) {
      sum += (long) count * count;
    }
    // Runs and sequences that come again betray structure that the counts of bytes hide; in noise,
    // neighbours are equal once in 256 times.
    return sum <= MAX_SUM_OF_SQUARES && pairs <= SAMPLES / 128 && repeats <= MAX_REPEATS;
  }
}
