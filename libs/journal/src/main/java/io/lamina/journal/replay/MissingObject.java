package io.lamina.journal.replay;

import io.lamina.cvmfs.ContentHash;
import io.lamina.cvmfs.ObjectKind;
import io.lamina.cvmfs.RepositoryPath;

/**
 * An object that no source has.
 *
 * @param below where the tree or file shows that needs it
 * @param tree the tree's catalog, or the file's object
 * @param reason what the sources said
 */
public record MissingObject(
    RepositoryPath below, ContentHash tree, ObjectKind kind, ContentHash hash, String reason) {
  MissingObject with(String more) {
    return more.isEmpty() ? this : new MissingObject(below, tree, kind, hash, reason + "; " + more);
  }

  /** The object's file in a repository. */
  public String file() {
    return kind.pathOf(hash);
  }
}
