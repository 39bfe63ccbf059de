package io.lamina.journal;

import io.lamina.cvmfs.ContentHash;
import io.lamina.cvmfs.RepositoryName;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * What a journal has of one repository. Immutable.
 *
 * @param firstBase the root on which the first transaction begins
 * @param lastRoot the root on which the last one ends
 */
public record RepositorySummary(
    RepositoryName repository,
    long transactions,
    long firstRevision,
    long lastRevision,
    ContentHash firstBase,
    ContentHash lastRoot) {

  /** Reads all that a journal has of a repository, and checks it; empty if that is nothing. */
  public static Optional<RepositorySummary> of(Journal journal, RepositoryName repository) {
    Builder builder = new Builder(repository);
    journal.read(
        repository,
        entry -> {
          builder.add(entry);
          return true;
        });
    return builder.build();
  }

  /** Takes transactions in order. Not thread-safe. */
  static final class Builder {
    private final RepositoryName repository;
    private @Nullable RepositorySummary current;

    Builder(RepositoryName repository) {
      this.repository = repository;
    }

    void add(JournalEntry entry) {
      RepositorySummary before = current;
      var event = entry.event();
      current =
          before == null
              ? new RepositorySummary(
                  repository,
                  1,
                  event.revision(),
                  event.revision(),
                  event.previousRoot(),
                  event.root())
              : new RepositorySummary(
                  repository,
                  before.transactions() + 1,
                  before.firstRevision(),
                  event.revision(),
                  before.firstBase(),
                  event.root());
    }

    Optional<RepositorySummary> build() {
      return Optional.ofNullable(current);
    }
  }
}
