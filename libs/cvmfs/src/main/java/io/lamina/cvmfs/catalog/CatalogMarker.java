package io.lamina.cvmfs.catalog;

import io.lamina.cvmfs.HashAlgorithm;
import io.lamina.cvmfs.compression.CompressedObject;
import java.nio.charset.StandardCharsets;

/**
 * The empty files that say: here begins a nested catalog.
 *
 * <p>Source: docs/format/catalogs.md, "Nested catalogs".
 */
public final class CatalogMarker {
  /** Stands in the root directory of every nested catalog and nowhere else. */
  public static final String NAME = ".cvmfscatalog";

  /** Stands beside {@link #NAME} where a catalog was split off for its size. */
  public static final String AUTOMATIC_NAME = ".cvmfsautocatalog";

  private CatalogMarker() {}

  /**
   * The entry of a marker below {@code root}; it names {@link CompressedObject#empty}, which the
   * caller has to store.
   */
  public static CatalogEntry in(CatalogEntry root, HashAlgorithm algorithm) {
    return CatalogEntry.file(
        CompressedObject.empty(algorithm).hash(), 0, 0644, root.mtimeSeconds());
  }

  static byte[] name() {
    return NAME.getBytes(StandardCharsets.US_ASCII);
  }
}
