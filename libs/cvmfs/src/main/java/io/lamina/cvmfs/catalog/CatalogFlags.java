package io.lamina.cvmfs.catalog;

import io.lamina.cvmfs.HashAlgorithm;
import io.lamina.cvmfs.compression.CompressionAlgorithm;
import java.util.Optional;

/**
 * The bits of a catalog row's {@code flags} column.
 *
 * <p>Source: docs/format/catalogs.md, "Flags".
 */
public final class CatalogFlags {
  public static final int DIRECTORY = 0x1;

  /** Row of the hosting catalog at which a nested catalog hangs. */
  public static final int NESTED_MOUNTPOINT = 0x2;

  /** Anything that is not a directory. */
  public static final int FILE = 0x4;

  public static final int SYMLINK = 0x8;
  public static final int SPECIAL = 0x10;

  /** First row of a nested catalog. */
  public static final int NESTED_ROOT = 0x20;

  public static final int CHUNKED = 0x40;
  public static final int EXTERNAL = 0x80;
  public static final int BIND_MOUNTPOINT = 0x4000;
  public static final int HIDDEN = 0x8000;
  public static final int DIRECT_IO = 0x10000;

  private static final int HASH_SHIFT = 8;
  private static final int COMPRESSION_SHIFT = 11;
  private static final int THREE_BITS = 7;

  private CatalogFlags() {}

  /** The flags of an entry that is no mountpoint and no catalog's root. */
  public static int of(CatalogEntry entry) {
    return switch (entry.mode() & CatalogEntry.TYPE_MASK) {
      case CatalogEntry.DIRECTORY -> DIRECTORY;
      case CatalogEntry.SYMLINK -> FILE | SYMLINK;
      case CatalogEntry.REGULAR ->
          FILE
              | (entry.chunks().isEmpty() ? 0 : CHUNKED)
              | entry.contentAlgorithm().flagValue() << HASH_SHIFT
              | entry.compression().flagValue() << COMPRESSION_SHIFT;
      default -> FILE | SPECIAL;
    };
  }

  /** The algorithm of the row's object or chunks; empty for a number that no version defines. */
  public static Optional<HashAlgorithm> hashAlgorithm(int flags) {
    int value = flags >> HASH_SHIFT & THREE_BITS;
    for (HashAlgorithm algorithm : HashAlgorithm.values()) {
      if (algorithm.flagValue() == value) {
        return Optional.of(algorithm);
      }
    }
    return Optional.empty();
  }

  /** How the row's object or chunks are stored; empty for a number that no version defines. */
  public static Optional<CompressionAlgorithm> compression(int flags) {
    int value = flags >> COMPRESSION_SHIFT & THREE_BITS;
    for (CompressionAlgorithm algorithm : CompressionAlgorithm.values()) {
      if (algorithm.flagValue() == value) {
        return Optional.of(algorithm);
      }
    }
    return Optional.empty();
  }
}
