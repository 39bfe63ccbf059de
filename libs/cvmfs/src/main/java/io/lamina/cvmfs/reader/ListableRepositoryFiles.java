package io.lamina.cvmfs.reader;

import java.util.function.Consumer;

/** Files of a source that can also say which files there are. */
public interface ListableRepositoryFiles extends RepositoryFiles {
  /** What lies under a path. */
  enum Kind {
    FILE,
    FOLDER,
    /** A symbolic link or special file. */
    OTHER
  }

  /**
   * One thing that lies there.
   *
   * @param path relative to the repository's root, with slashes
   */
  record Listed(String path, Kind kind) {}

  /**
   * Everything below the root, folders before what they hold; what comes and goes meanwhile may be
   * missed.
   *
   * @throws io.lamina.cvmfs.CvmfsException.Retryable if listing breaks off
   */
  void list(Consumer<Listed> sink);
}
