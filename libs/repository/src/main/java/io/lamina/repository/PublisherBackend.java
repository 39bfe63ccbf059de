package io.lamina.repository;

import io.lamina.cvmfs.ContentHash;
import io.lamina.cvmfs.catalog.CatalogChange;
import io.lamina.cvmfs.history.Reflog;
import io.lamina.cvmfs.signing.Manifest;
import java.util.Collection;
import java.util.List;
import java.util.Optional;

/**
 * Commits transactions to one repository. One transaction at a time; other processes may commit to
 * the same repository, which is noticed and harmless.
 *
 * <p>Source: docs/protocol/transactions.md.
 */
public interface PublisherBackend extends AutoCloseable {
  /**
   * Tells what a transaction did, as bytes that are kept beside the repository until they are in
   * the journal. Called for each attempt, after the head on which it builds was read and before the
   * commit point, with what is about to be committed. If it fails, nothing becomes visible.
   */
  @FunctionalInterface
  interface Recorder {
    byte[] record(Committed about);
  }

  /**
   * Makes the changes visible, all or none. Changes that the repository shows already are left out;
   * if none remains, nothing is published.
   *
   * @param changes in order; what they name must be stored, and is durable on return
   * @param timestampSeconds recorded in the catalogs and the manifest; never goes back, an earlier
   *     one is replaced by the repository's
   * @throws RepositoryException.Rejected if a change can never be made; nothing is visible
   * @throws RepositoryException.Conflict if others kept committing first; nothing is visible
   * @throws RepositoryException.Retryable if it failed before the commit point; nothing is visible
   * @throws RepositoryException.OutcomeUnknown if it may be visible or not: calling again decides,
   *     and changes nothing if it is
   */
  Committed commit(List<CatalogChange> changes, long timestampSeconds, Recorder recorder);

  /** The manifest as it is in the store now. */
  Manifest head();

  /** What the transaction that made this root catalog recorded, until it is forgotten. */
  Optional<byte[]> recordOf(ContentHash root);

  /** Drops a record that is in the journal. */
  void forgetRecord(ContentHash root);

  /**
   * Takes entries out of the reflog, and signs the same revision with what it is then.
   *
   * @param owned called before each attempt; throws if somebody else owns the repository now
   * @throws RepositoryException.Conflict if others kept committing first
   */
  void pruneReflog(Collection<Reflog.Entry> forgotten, Runnable owned);

  /** What the repository shows; looks at the newest revision after each commit. */
  RepositoryView view();

  @Override
  void close();
}
