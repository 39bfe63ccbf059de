package io.lamina.cvmfs.catalog;

import io.lamina.cvmfs.ContentHash;
import io.lamina.cvmfs.RepositoryPath;

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
 */
public record Graft(
    RepositoryPath path,
    ContentHash catalog,
    long catalogSizeBytes,
    CatalogEntry root,
    Counters total) {}
