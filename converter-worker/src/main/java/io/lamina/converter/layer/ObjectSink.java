package io.lamina.converter.layer;

import io.lamina.cvmfs.ContentHash;
import io.lamina.cvmfs.ObjectKind;

/**
 * Where finished objects go: the storage of one repository.
 *
 * <p>Failures are {@link io.lamina.storage.StorageException}s. Thread-safe.
 */
public interface ObjectSink {
  /**
   * Stores {@code bytes[offset .. offset + length)} under the hash of these bytes, if there is no
   * such object yet. The array is not kept.
   *
   * @return whether the object is new
   */
  boolean put(ObjectKind kind, ContentHash hash, byte[] bytes, int offset, int length);

  /** Makes all that was put before the call durable. */
  void flush();
}
