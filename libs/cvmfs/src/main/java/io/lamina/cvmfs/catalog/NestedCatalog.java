package io.lamina.cvmfs.catalog;

import io.lamina.cvmfs.ContentHash;
import io.lamina.cvmfs.RepositoryPath;

/**
 * A nested catalog as the catalog that hosts it names it.
 *
 * @param sizeBytes uncompressed size of its database; 0 where it is not known
 */
public record NestedCatalog(RepositoryPath path, ContentHash hash, long sizeBytes) {}
