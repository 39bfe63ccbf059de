package io.lamina.repository.collection;

import io.lamina.cvmfs.ContentHash;
import io.lamina.cvmfs.CvmfsException;
import io.lamina.cvmfs.ObjectKind;
import io.lamina.cvmfs.compression.CompressedObject;
import io.lamina.cvmfs.compression.Decompression;
import io.lamina.repository.RepositoryException;
import io.lamina.storage.ObjectKey;
import io.lamina.storage.ObjectStore;
import io.lamina.storage.StorageException;
import java.util.Arrays;

/** Reads objects and believes none that is not what its name says. Thread-safe. */
record StoredObjects(ObjectStore store) {
  /**
   * The content.
   *
   * @throws RepositoryException.Corrupt if it is missing or damaged
   */
  byte[] read(ObjectKind kind, ContentHash hash, int maxBytes) {
    String what = kind.name().toLowerCase(java.util.Locale.ROOT) + " " + hash;
    try {
      byte[] stored = store.read(new ObjectKey(kind.pathOf(hash)), maxBytes);
      ContentHash actual = CompressedObject.ofStored(stored, hash.algorithm()).hash();
      if (!Arrays.equals(actual.digest(), hash.digest())) {
        throw new RepositoryException.Corrupt(
            what + " has other content, so that nobody knows what it refers to", null);
      }
      return Decompression.inflate(stored, maxBytes);
    } catch (StorageException.NotFound e) {
      throw new RepositoryException.Corrupt(
          what + " is referred to and missing, so that nobody knows what it refers to", e);
    } catch (StorageException.Exhausted | CvmfsException.Corrupt e) {
      throw new RepositoryException.Corrupt(
          what + " is damaged, so that nobody knows what it refers to", e);
    }
  }
}
