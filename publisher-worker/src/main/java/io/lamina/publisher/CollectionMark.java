package io.lamina.publisher;

import io.lamina.storage.ObjectKey;
import io.lamina.storage.ObjectStore;
import io.lamina.storage.StorageException;
import java.nio.charset.StandardCharsets;
import java.time.DateTimeException;
import java.time.Instant;
import java.util.Optional;

/** The file beside a repository that says when it was collected last. Stateless. */
final class CollectionMark {
  private static final ObjectKey KEY = new ObjectKey("lamina/collected");
  private static final int MAX_BYTES = 100;

  private CollectionMark() {}

  static void write(ObjectStore store, Instant now) {
    try {
      store.swap(
          KEY,
          store.readMutable(KEY, MAX_BYTES).map(ObjectStore.Versioned::version),
          (now + "\n").getBytes(StandardCharsets.UTF_8));
    } catch (StorageException.Conflict e) {
      // Somebody else has just done the same.
    }
  }

  /** Empty if it never was, or nobody can read when. */
  static Optional<Instant> read(ObjectStore store) {
    try {
      return store
          .readMutable(KEY, MAX_BYTES)
          .map(file -> Instant.parse(new String(file.bytes(), StandardCharsets.UTF_8).strip()));
    } catch (DateTimeException e) {
      return Optional.empty();
    }
  }
}
