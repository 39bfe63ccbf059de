package io.lamina.journal.replay;

import io.lamina.cvmfs.ContentHash;
import io.lamina.cvmfs.ObjectKind;
import io.lamina.cvmfs.RepositoryPath;
import io.lamina.cvmfs.catalog.CatalogChange;
import java.util.Optional;

/**
 * What a transaction names and does not make: a tree with all below it, or a file.
 *
 * @param path where it shows
 */
public record Needed(RepositoryPath path, ObjectKind kind, ContentHash hash) {
  /** What a change names and does not make. */
  public static Optional<Needed> of(CatalogChange change) {
    return ReplayPlan.needed(change);
  }
}
