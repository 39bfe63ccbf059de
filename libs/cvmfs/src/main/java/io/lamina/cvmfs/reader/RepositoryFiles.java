package io.lamina.cvmfs.reader;

import io.lamina.cvmfs.CvmfsException;
import java.io.InputStream;

/**
 * Where a repository's files come from: a folder, a web server, an object store. What is read here
 * is not trusted; readers check it.
 *
 * <p>Paths are relative to the repository's root, with slashes, such as {@code .cvmfspublished} or
 * {@code data/ab/cdef…}. Thread-safe.
 */
public interface RepositoryFiles extends AutoCloseable {
  /**
   * The file's bytes from the start; the caller closes the stream. Reading may throw {@link
   * java.io.IOException} when the source fails half-way.
   *
   * @throws CvmfsException.NotFound if there is no such file
   * @throws CvmfsException.Retryable if the source is out of reach
   * @throws CvmfsException.Rejected if the source refuses to answer
   */
  InputStream open(String path);

  /** Whether there is such a file; throws as {@link #open}, but for a missing file. */
  boolean exists(String path);

  /** For people: the folder or address. */
  @Override
  String toString();

  @Override
  default void close() {}
}
