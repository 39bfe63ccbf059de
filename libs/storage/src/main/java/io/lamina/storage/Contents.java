package io.lamina.storage;

import io.lamina.storage.ObjectStore.Version;
import java.io.IOException;
import java.io.InputStream;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.Optional;

/** What all stores do alike with bytes and versions. Stateless. */
final class Contents {
  private Contents() {}

  /**
   * All bytes of a content that is small enough for the heap.
   *
   * @throws StorageException.Corrupt if there are more or fewer than promised
   */
  static byte[] readFully(ObjectKey key, Content content) {
    if (content.sizeBytes() > Integer.MAX_VALUE - 16) {
      throw new StorageException.Exhausted(key + ": too large for memory", null);
    }
    int size = (int) content.sizeBytes();
    try (InputStream in = content.open()) {
      byte[] bytes = in.readNBytes(size);
      if (bytes.length != size || in.read() != -1) {
        throw wrongLength(key, content.sizeBytes(), bytes.length);
      }
      return bytes;
    } catch (IOException e) {
      throw new StorageException.Retryable("cannot read what is to be stored as " + key, e);
    }
  }

  /**
   * @param actual bytes that came; as many as promised means that more would have come
   */
  static StorageException.Corrupt wrongLength(ObjectKey key, long promised, long actual) {
    return new StorageException.Corrupt(
        "content for "
            + key
            + " was promised to have "
            + promised
            + " bytes but has "
            + (actual == promised ? "more" : actual));
  }

  static byte[] bounded(ObjectKey key, byte[] bytes, int maxBytes) {
    if (bytes.length > maxBytes) {
      throw tooLong(key, maxBytes);
    }
    return bytes;
  }

  static StorageException.Exhausted tooLong(ObjectKey key, int maxBytes) {
    return new StorageException.Exhausted(key + " is longer than " + maxBytes + " bytes", null);
  }

  static StorageException.NotFound notFound(ObjectKey key) {
    return new StorageException.NotFound("there is no " + key);
  }

  /** SHA-256 in hex. */
  static Version version(byte[] bytes) {
    try {
      return new Version(
          HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(bytes)));
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("this JVM has no SHA-256", e);
    }
  }

  /**
   * @throws StorageException.Conflict if they differ
   */
  static void checkVersion(ObjectKey key, Optional<Version> actual, Optional<Version> expected) {
    if (!actual.equals(expected)) {
      throw new StorageException.Conflict(
          key
              + " was expected "
              + expected.map(v -> "at version " + v.value()).orElse("to be absent")
              + " but is "
              + actual.map(v -> "at version " + v.value()).orElse("absent"));
    }
  }
}
