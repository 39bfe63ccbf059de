package io.lamina.client.tree;

import io.lamina.cvmfs.RepositoryPath;
import io.lamina.cvmfs.catalog.CatalogEntry;
import io.lamina.cvmfs.catalog.NestedCatalog;
import java.util.Optional;

/**
 * One entry of a revision, as the client shows it. Immutable; the array is not to be changed.
 *
 * @param inode the same for all names of a hard-linked file, and in every revision
 * @param linkTarget of a symbolic link, with its variables replaced; else empty
 * @param isHidden reachable by name, but not listed
 * @param isExternal a regular file whose content lies on another server
 * @param listing the catalog in which the entries of a directory are; empty for other types
 */
public record Entry(
    RepositoryPath path,
    CatalogEntry entry,
    long inode,
    byte[] linkTarget,
    boolean isHidden,
    boolean isExternal,
    Optional<NestedCatalog> listing) {

  /** The size that {@code stat} shows, in bytes: 0 for devices, pipes and sockets. */
  public long shownSizeBytes() {
    if (entry.isSymlink()) {
      return linkTarget.length;
    }
    return entry.isRegular() || entry.isDirectory() ? entry.sizeBytes() : 0;
  }
}
