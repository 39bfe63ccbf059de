package io.lamina.cvmfs.reader;

import io.lamina.cvmfs.RepositoryPath;
import io.lamina.cvmfs.catalog.CatalogEntry;

/**
 * One entry of a repository, as a client shows it. The array belongs to the caller.
 *
 * @param entry what the catalog says
 * @param linkTarget of a symbolic link, with its variables replaced; empty for other types
 * @param inode the same for all names of a hard-linked file and for no other entry; the same
 *     whenever this revision is read
 * @param isHidden reachable by name, but not listed
 * @param isExternal a regular file whose content lies on another server
 */
public record FileStat(
    RepositoryPath path,
    CatalogEntry entry,
    byte[] linkTarget,
    long inode,
    boolean isHidden,
    boolean isExternal) {

  /** The size that {@code stat} shows, in bytes: 0 for devices, pipes and sockets. */
  public long shownSizeBytes() {
    if (entry.isSymlink()) {
      return linkTarget.length;
    }
    return entry.isRegular() || entry.isDirectory() ? entry.sizeBytes() : 0;
  }
}
