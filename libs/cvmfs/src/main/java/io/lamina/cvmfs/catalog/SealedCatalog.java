package io.lamina.cvmfs.catalog;

import io.lamina.cvmfs.RepositoryPath;

/**
 * A catalog whose changes are finished: what to store, and what the catalog above must learn.
 *
 * @param mount where it hangs
 * @param database uncompressed; its compressed form's hash is what the catalog above will name
 * @param root the entry of {@code mount} itself
 * @param revision its own revision; a root catalog's is the manifest's
 * @param total its counters plus those of all catalogs below it
 * @param change {@code total} minus what the catalog above knew before
 */
public record SealedCatalog(
    RepositoryPath mount,
    byte[] database,
    CatalogEntry root,
    long revision,
    Counters total,
    Counters change) {}
