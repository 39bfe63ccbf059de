package io.lamina.cvmfs.compression;

/**
 * How a file object is stored; a number in bits 11 to 13 of a catalog entry's flags.
 *
 * <p>Source: docs/format/objects.md, "Compression". Immutable.
 */
public enum CompressionAlgorithm {
  ZLIB(0),
  NONE(1);

  private final int flagValue;

  CompressionAlgorithm(int flagValue) {
    this.flagValue = flagValue;
  }

  public int flagValue() {
    return flagValue;
  }
}
