package io.lamina.node.cvmfs;

import java.nio.file.Path;

/**
 * One repository, mounted by a {@link RepositoryClient}. Thread-safe.
 *
 * <p>All methods but {@link #root} may hang as long as the file system does.
 */
public interface RepositoryMount extends AutoCloseable {
  /** The repository's root; the same for the mount's life. */
  Path root();

  /**
   * Looks whether it answers.
   *
   * @return the revision that it shows
   * @throws io.lamina.layers.LayersException.Unavailable if its client is gone
   */
  long check();

  /**
   * Fetches and shows the newest revision, if the client can be told to.
   *
   * @return the revision that is shown then
   * @throws io.lamina.layers.LayersException.Unavailable if it could not
   */
  long refresh();

  /** Gives it back; what uses it still may see errors. Throws nothing. */
  @Override
  void close();
}
