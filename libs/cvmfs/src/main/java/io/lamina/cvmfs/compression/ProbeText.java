package io.lamina.cvmfs.compression;

/**
 * A fixed text, part noise and part repetition, whose compressed form tells compressors apart.
 * Golden hashes depend on every byte of it.
 */
final class ProbeText {
  private static final int SYMBOLS = 6000;
  private static final int LINE = 64;
  private static final int SECTION = 512;
  private static final String ALPHABET =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  private static final String FEW = "abcdefgh";

  private ProbeText() {}

  static byte[] bytes() {
    byte[] text = new byte[SYMBOLS];
    int random = 12345;
    for (int i = 0; i < SYMBOLS; i++) {
      random = (random * 1103515245 + 12345) & Integer.MAX_VALUE;
      String alphabet = (i / SECTION) % 3 == 2 ? FEW : ALPHABET;
      boolean lineEnd = i % LINE == LINE - 1;
      text[i] = (byte) (lineEnd ? '\n' : alphabet.charAt((random >> 16) % alphabet.length()));
    }
    return text;
  }
}
