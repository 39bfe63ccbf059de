package io.lamina.journal;

import io.lamina.cvmfs.RepositoryName;
import java.util.List;

/** Transactions of one or several repositories, wherever they are kept. Thread-safe. */
public interface Journal {
  /** Takes the transactions of one repository, oldest first. */
  @FunctionalInterface
  interface Sink {
    /** Whether the reading is to go on. */
    boolean accept(JournalEntry entry);
  }

  /**
   * The repositories of which there are transactions, sorted.
   *
   * @throws JournalException as {@link #read}
   */
  List<RepositoryName> repositories();

  /**
   * Hands over a repository's transactions, each checked to follow from the one before.
   *
   * @return how many were handed over; 0 if there are none
   * @throws JournalException.Corrupt if the journal is damaged; what was handed over before is good
   * @throws JournalException.Retryable if reading failed
   */
  long read(RepositoryName repository, Sink sink);

  /** For people: where it is. */
  @Override
  String toString();
}
