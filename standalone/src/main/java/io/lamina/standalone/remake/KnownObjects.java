package io.lamina.standalone.remake;

import io.lamina.cvmfs.ContentHash;
import io.lamina.cvmfs.CvmfsException;
import io.lamina.cvmfs.ObjectKind;
import io.lamina.cvmfs.compression.CompressedObject;
import io.lamina.cvmfs.compression.Decompression;
import io.lamina.journal.replay.ObjectSources;
import io.lamina.storage.ObjectKey;
import io.lamina.storage.ObjectStore;
import io.lamina.storage.StorageException;
import java.util.Arrays;
import java.util.Optional;

/**
 * Objects that are there: in the repository that is rebuilt, or in a source.
 *
 * @param store of the repository
 */
record KnownObjects(ObjectSources sources, ObjectStore store) {
  private static final int MAX_STORED_BYTES = 256 << 20;
  private static final int MAX_CATALOG_BYTES = 512 << 20;

  /** A catalog's database; empty if no place has it whole. */
  Optional<byte[]> catalog(ContentHash hash) {
    return content(ObjectKind.CATALOG, hash, MAX_CATALOG_BYTES);
  }

  /** A file's content; empty if no place has it whole, or it is longer. */
  Optional<byte[]> file(ContentHash hash, int maxBytes) {
    return content(ObjectKind.FILE, hash, maxBytes);
  }

  private Optional<byte[]> content(ObjectKind kind, ContentHash hash, int maxBytes) {
    Optional<byte[]> stored = stored(kind, hash);
    if (stored.isEmpty()) {
      stored = sources.read(kind, hash, MAX_STORED_BYTES);
    }
    try {
      return stored.map(bytes -> Decompression.inflate(bytes, maxBytes));
    } catch (CvmfsException.Corrupt e) {
      return Optional.empty();
    }
  }

  private Optional<byte[]> stored(ObjectKind kind, ContentHash hash) {
    try {
      byte[] bytes = store.read(new ObjectKey(kind.pathOf(hash)), MAX_STORED_BYTES);
      return Arrays.equals(
              CompressedObject.ofStored(bytes, hash.algorithm()).hash().digest(), hash.digest())
          ? Optional.of(bytes)
          : Optional.empty();
    } catch (StorageException.NotFound e) {
      return Optional.empty();
    }
  }
}
