package io.lamina.repository;

import io.lamina.cvmfs.ContentHash;
import io.lamina.cvmfs.CvmfsException;
import io.lamina.cvmfs.HashAlgorithm;
import io.lamina.cvmfs.ObjectKind;
import io.lamina.cvmfs.compression.CompressedObject;
import io.lamina.cvmfs.compression.Decompression;
import io.lamina.cvmfs.compression.ObjectCompressor;
import io.lamina.cvmfs.history.History;
import io.lamina.cvmfs.history.Tag;
import io.lamina.storage.ObjectStore;
import io.lamina.storage.StorageException;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** The history of tags from one revision to the next. Not thread-safe. */
final class HistoryObject {
  private record Known(ContentHash hash, byte[] database) {}

  private final ObjectStore store;
  private final RepositoryDefinition definition;
  private @Nullable Known known;

  HistoryObject(ObjectStore store, RepositoryDefinition definition) {
    this.store = store;
    this.definition = definition;
  }

  /**
   * The object of the history that follows {@code previous}; empty if the repository keeps none.
   */
  Optional<CompressedObject> advanced(
      Optional<ContentHash> previous, Tag.Snapshot head, ObjectCompressor compressor) {
    if (!definition.settings().tags()) {
      return Optional.empty();
    }
    try (History history = open(previous)) {
      history.advance(head, previous, definition.settings().genericTags());
      byte[] database = history.toBytes();
      CompressedObject object = compressor.compress(database, HashAlgorithm.SHA1);
      known = new Known(object.hash(), database);
      return Optional.of(object);
    }
  }

  private History open(Optional<ContentHash> hash) {
    if (hash.isEmpty()) {
      return History.create(definition.name());
    }
    if (known != null && known.hash().equals(hash.get())) {
      return History.open(known.database(), definition.name());
    }
    try {
      byte[] stored =
          store.read(RepositoryFiles.object(ObjectKind.HISTORY, hash.get()), History.MAX_BYTES);
      if (!CompressedObject.ofStored(stored, hash.get().algorithm()).hash().equals(hash.get())) {
        throw new RepositoryException.Corrupt("history " + hash.get() + " has other content", null);
      }
      return History.open(Decompression.inflate(stored, History.MAX_BYTES), definition.name());
    } catch (StorageException.NotFound | CvmfsException.Corrupt e) {
      throw new RepositoryException.Corrupt(
          "history " + hash.get() + " of " + definition.name() + " is missing or damaged", e);
    }
  }
}
