package io.lamina.repository;

import io.lamina.cvmfs.catalog.CatalogEntry;
import io.lamina.cvmfs.catalog.Xattrs;
import io.lamina.cvmfs.compression.CompressionAlgorithm;
import java.util.List;

/** Directories that nobody described. */
final class Directories {
  private Directories() {}

  /** Mode 0755, owner 0:0, without sub-directories. */
  static CatalogEntry plain(long mtimeSeconds) {
    return new CatalogEntry(
        CatalogEntry.DIRECTORY | 0755,
        0,
        0,
        CatalogEntry.DIRECTORY_SIZE_BYTES,
        mtimeSeconds,
        -1,
        0,
        2,
        null,
        CompressionAlgorithm.ZLIB,
        new byte[0],
        Xattrs.NONE,
        List.of());
  }
}
