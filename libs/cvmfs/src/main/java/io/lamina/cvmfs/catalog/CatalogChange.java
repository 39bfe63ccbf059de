package io.lamina.cvmfs.catalog;

import io.lamina.cvmfs.ContentHash;
import io.lamina.cvmfs.CvmfsException;
import io.lamina.cvmfs.RepositoryPath;
import java.util.Optional;
import java.util.regex.Pattern;

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
   *
   * @param sha256 of its content, 64 hex digits, where that is the name by which others can fetch
   *     it again; no part of what the repository shows
   */
  record PutFile(RepositoryPath path, ContentHash object, long sizeBytes, Optional<String> sha256)
      implements CatalogChange {
    private static final Pattern SHA256 = Pattern.compile("[0-9a-f]{64}");

    public PutFile {
      sha256.ifPresent(
          hex -> {
            if (!SHA256.matcher(hex).matches()) {
              throw new CvmfsException.Rejected("not a SHA-256 of 64 hex digits: '" + hex + "'");
            }
          });
    }

    /** A file that has no other name. */
    public PutFile(RepositoryPath path, ContentHash object, long sizeBytes) {
      this(path, object, sizeBytes, Optional.empty());
    }
  }

  /**
   * A symbolic link with this target, raw; may hold variables such as {@code $(CVMFS_ARCH:-amd64)}.
   */
  record PutSymlink(RepositoryPath path, String target) implements CatalogChange {}

  /**
   * Removes the entry and, of a directory or nested catalog, all below it; nothing if it is absent.
   */
  record Remove(RepositoryPath path) implements CatalogChange {}
}
