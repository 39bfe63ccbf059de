package io.lamina.gateway.repository;

import io.lamina.cvmfs.RepositoryName;
import java.util.List;
import java.util.Optional;

/**
 * A repository as callers see it. Immutable.
 *
 * @param known empty if another process has it
 * @param revisions newest first
 */
public record RepositoryView(
    RepositoryName name,
    Optional<RepositoryDirectory.Known> known,
    List<Revision> revisions,
    boolean served) {
  public RepositoryView {
    revisions = List.copyOf(revisions);
  }
}
