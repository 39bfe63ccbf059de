package io.lamina.storage;

import java.io.InputStream;
import java.util.Optional;
import java.util.function.Consumer;

/**
 * Immutable objects under their keys, and a few small mutable files with compare-and-swap.
 *
 * <p>Every method may throw {@link StorageException.Retryable} when the store is out of reach and
 * {@link StorageException.Rejected} when it refuses the key or the credentials. Thread-safe;
 * several processes may use the same store at once.
 */
public interface ObjectStore extends AutoCloseable {
  /** What {@link #putIfAbsent} found; both mean success. */
  enum PutOutcome {
    STORED,
    ALREADY_PRESENT
  }

  /** Size of a stored file and when it was last written (seconds since the epoch). */
  record Stat(ObjectKey key, long sizeBytes, long modifiedSeconds) {}

  /** Marks one state of a mutable file: the store's ETag, or a digest of the bytes. */
  record Version(String value) {}

  /** A mutable file as it was read. */
  record Versioned(byte[] bytes, Version version) {}

  /**
   * Stores an immutable object, all of it or nothing; visible to others on return. Durable once
   * {@link #flush} has returned.
   *
   * @throws StorageException.Corrupt if the content gives more or fewer bytes than it promised
   * @throws StorageException.Exhausted if there is no room
   */
  PutOutcome putIfAbsent(ObjectKey key, Content content);

  /** Makes all that this instance stored before the call durable. */
  void flush();

  Optional<Stat> head(ObjectKey key);

  /**
   * The file's bytes from the start; the caller closes the stream.
   *
   * @throws StorageException.NotFound if there is none
   */
  InputStream open(ObjectKey key);

  /**
   * The whole file.
   *
   * @throws StorageException.NotFound if there is none
   * @throws StorageException.Exhausted if it is longer than {@code maxBytes}
   */
  byte[] read(ObjectKey key, int maxBytes);

  /**
   * Every file whose key starts with {@code prefix} (a plain string prefix, may be empty), in no
   * particular order; files written meanwhile may be missed.
   */
  void list(String prefix, Consumer<Stat> sink);

  /** Removes a file; whether there was one. */
  boolean delete(ObjectKey key);

  /** A mutable file and its version; empty if there is none. */
  Optional<Versioned> readMutable(ObjectKey key, int maxBytes);

  /**
   * Replaces a mutable file atomically and durably, if it is still at {@code expected} (empty: if
   * it does not exist).
   *
   * @throws StorageException.Conflict if it is at another version; nothing was changed
   * @throws StorageException.OutcomeUnknown if the reply was lost
   */
  Version swap(ObjectKey key, Optional<Version> expected, byte[] bytes);

  @Override
  void close();
}
