package io.lamina.repository;

import io.lamina.cvmfs.ContentHash;

/**
 * Somebody who shows a repository to its clients in another writing, such as the original tools'
 * repository on a release manager: each revision is brought there before it becomes the head here,
 * so that what the head says is never more than clients see.
 *
 * <p>Source: docs/adr/0005-cvmfs-server-follows-the-catalogs.md.
 */
public interface Follower {
  /**
   * Begins to work on it, as the only one on this machine, and clears away what a predecessor left
   * that died.
   *
   * @throws RepositoryException.Conflict if somebody else is at work
   * @throws RepositoryException.Retryable if a predecessor's work still goes on, or it is out of
   *     reach
   */
  Session begin();

  /** The right to change it. Not thread-safe; close it. */
  interface Session extends AutoCloseable {
    /** Whether it shows no revision of this repository yet. */
    boolean isEmpty();

    /** Whether it shows exactly the revision with this root catalog. */
    boolean shows(ContentHash root);

    /**
     * Makes it show the revision with this root catalog, whose catalogs and objects are stored;
     * returns when it does.
     *
     * @throws RepositoryException.Rejected if it cannot show this revision; it shows what it did
     * @throws RepositoryException.Conflict if somebody else is changing it
     * @throws RepositoryException.Retryable if it failed; what it shows is a revision of this
     *     repository, or lacks parts of one, which the next call puts back
     * @throws RepositoryException.OutcomeUnknown if what it shows cannot be read
     * @throws RepositoryException.Corrupt if it shows what was not asked for
     */
    void show(ContentHash root);

    @Override
    void close();
  }
}
