package io.lamina.repository.releasemanager;

import io.lamina.cvmfs.CvmfsException;
import io.lamina.cvmfs.reader.RepositoryFiles;
import io.lamina.storage.ObjectKey;
import io.lamina.storage.ObjectStore;
import io.lamina.storage.StorageException;
import java.io.InputStream;

/** The files of a repository that lies in an object store, for readers. Thread-safe. */
final class StoredFiles implements RepositoryFiles {
  private final ObjectStore store;

  /**
   * @param store stays the caller's to close
   */
  StoredFiles(ObjectStore store) {
    this.store = store;
  }

  @Override
  public InputStream open(String path) {
    try {
      return store.open(new ObjectKey(path));
    } catch (StorageException e) {
      throw translated(path, e);
    }
  }

  @Override
  public boolean exists(String path) {
    try {
      return store.head(new ObjectKey(path)).isPresent();
    } catch (StorageException e) {
      throw translated(path, e);
    }
  }

  private CvmfsException translated(String path, StorageException e) {
    return switch (e) {
      case StorageException.NotFound _ -> {
        CvmfsException missing = new CvmfsException.NotFound("no file " + path + " in " + store);
        missing.initCause(e);
        yield missing;
      }
      case StorageException.Rejected _ ->
          new CvmfsException.Rejected("cannot read " + path + ": " + e.getMessage(), e);
      default -> new CvmfsException.Retryable("cannot read " + path + ": " + e.getMessage(), e);
    };
  }

  @Override
  public String toString() {
    return store.toString();
  }
}
