package io.lamina.storage;

import java.io.InputStream;
import java.time.Duration;
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
  /**
   * An object that a writer finds in place counts as written anew: if it is older than this, its
   * time is brought up to date. So whatever a writer has relied upon is never older than that
   * reliance by more than this, and what is much older can be removed.
   */
  Duration REFRESHED_AFTER = Duration.ofDays(1);

  /**
   * The least age at which {@link #deleteIfOlder} may be used: leaves a day from the moment when a
   * writer finds an object to the moment when what it made of it is known.
   */
  Duration LEAST_GRACE = Duration.ofDays(2);

  /** Is there while somebody removes old objects: writers look, see docs/storage.md. */
  ObjectKey SWEEP_MARK = new ObjectKey("lamina/sweep");

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
   * {@link #flush} has returned, and until then not safe from {@link #deleteIfOlder} either. One
   * that is there already is brought up to date, see {@link #REFRESHED_AFTER}.
   *
   * @throws StorageException.Corrupt if the content gives more or fewer bytes than it promised
   * @throws StorageException.Exhausted if there is no room
   */
  PutOutcome putIfAbsent(ObjectKey key, Content content);

  /**
   * Makes all that this instance stored or found before the call durable.
   *
   * @throws StorageException.Retryable also if an object that was found has been removed since:
   *     then what relies on it is to be made again
   */
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

  /**
   * Removes an object unless it was written, or found in place by a writer, at {@code
   * modifiedSeconds} or later; docs/storage.md, "Removing old objects", says how far that is exact.
   *
   * @param modifiedSeconds since the epoch
   * @return whether it was removed
   */
  default boolean deleteIfOlder(ObjectKey key, long modifiedSeconds) {
    return head(key).filter(stat -> stat.modifiedSeconds() < modifiedSeconds).isPresent()
        && delete(key);
  }

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
