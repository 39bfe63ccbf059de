package io.lamina.cvmfs.catalog;

import io.lamina.cvmfs.ContentHash;
import io.lamina.cvmfs.RepositoryPath;
import java.util.Optional;

/**
 * A complete nested catalog that lies in the store and waits to be hung into its parent: all that
 * the parent must know of it. Nothing below it is opened again.
 *
 * <p>Source: docs/format/catalogs.md, "Grafting". Immutable.
 *
 * @param path the one place for which the catalog was made
 * @param catalog its object
 * @param catalogSizeBytes uncompressed size of the database
 * @param root the entry of {@code path} itself, equal in the parent and in the catalog
 * @param total its own counters plus those of all catalogs below it
 * @param recordedSeconds the time that its catalogs say: with the same layer and settings it makes
 *     the same catalogs again, should they be lost. Empty where nobody has kept it
 */
public record Graft(
    RepositoryPath path,
    ContentHash catalog,
    long catalogSizeBytes,
    CatalogEntry root,
    Counters total,
    Optional<Long> recordedSeconds) {
  /** A tree of which nobody has kept the recorded time. */
  public Graft(
      RepositoryPath path,
      ContentHash catalog,
      long catalogSizeBytes,
      CatalogEntry root,
      Counters total) {
    this(path, catalog, catalogSizeBytes, root, total, Optional.empty());
  }
}
