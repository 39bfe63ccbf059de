package io.lamina.cvmfs.catalog;

import io.lamina.cvmfs.ContentHash;
import io.lamina.cvmfs.RepositoryPath;

/**
 * One step of a transaction on a repository. Steps are idempotent: applied to a tree that already
 * shows their result they change nothing. Directories that a step needs and that are missing are
 * made (mode 0755, owner 0:0, the transaction's time). Immutable.
 *
 * <p>Source: docs/protocol/transactions.md, "Changes".
 */
public sealed interface CatalogChange {
  RepositoryPath path();

  /** Makes the directory at {@code path} a nested catalog of its own, if it is not one. */
  record Split(RepositoryPath path) implements CatalogChange {}

  /** Hangs a finished nested catalog in at its path; replaces what was grafted there before. */
  record Attach(Graft graft) implements CatalogChange {
    @Override
    public RepositoryPath path() {
      return graft.path();
    }
  }

  /**
   * A regular file (mode 0644, owner 0:0, the transaction's time) whose object is stored already.
   */
  record PutFile(RepositoryPath path, ContentHash object, long sizeBytes)
      implements CatalogChange {}

  /**
   * A symbolic link with this target, raw; may hold variables such as {@code $(CVMFS_ARCH:-amd64)}.
   */
  record PutSymlink(RepositoryPath path, String target) implements CatalogChange {}

  /**
   * Removes the entry and, of a directory or nested catalog, all below it; nothing if it is absent.
   */
  record Remove(RepositoryPath path) implements CatalogChange {}
}
