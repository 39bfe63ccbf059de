package io.lamina.layers;

import java.nio.file.Path;

/**
 * Mounted CVMFS repositories, as whoever provides CVMFS on this node has them. The storage asks for
 * each repository that a mounted layer needs and gives it back with the last mount.
 *
 * <p>Implementations are thread-safe.
 */
public interface CvmfsRoots {
  /** For a node without CVMFS: every repository is refused. */
  CvmfsRoots NONE =
      repository -> {
        throw new LayersException.Unavailable(
            "no CVMFS client is set up here, so repository " + repository + " cannot be read");
      };

  /**
   * Makes the repository's root readable and keeps it so until the lease is closed; may wait for
   * the network, but not without a bound. Interrupting the thread ends the wait.
   *
   * @param repository a valid repository name
   * @throws LayersException.Unavailable if it cannot be mounted now
   * @throws LayersException.Rejected if this node may not use it
   */
  Lease acquire(String repository);

  /** One use of a repository. Thread-safe. */
  interface Lease extends AutoCloseable {
    /** The repository's root directory; the same for the lease's life. */
    Path root();

    /** The revision that is mounted; grows while the lease is held. */
    long revision();

    /**
     * Whether what {@link #root} named when the lease was given still answers. False once the
     * client died, even when another one serves the same path by now. Does not block.
     */
    boolean isAlive();

    /** Gives it back; calling again does nothing, and nothing is thrown. */
    @Override
    void close();
  }
}
