package io.lamina.standalone.verify;

import io.lamina.cvmfs.CvmfsException;
import io.lamina.cvmfs.reader.ListableRepositoryFiles;
import io.lamina.storage.ObjectKey;
import io.lamina.storage.ObjectStore;
import io.lamina.storage.StorageException;
import java.io.InputStream;
import java.util.function.Consumer;
import java.util.function.Supplier;

/** A repository in an object store, which is closed with it. Thread-safe. */
public final class StoredRepositoryFiles implements ListableRepositoryFiles {
  private final ObjectStore store;
  private final String name;

  /**
   * @param name of the store, for people
   */
  public StoredRepositoryFiles(ObjectStore store, String name) {
    this.store = store;
    this.name = name;
  }

  @Override
  public InputStream open(String path) {
    return translated(path, () -> store.open(new ObjectKey(path)));
  }

  @Override
  public boolean exists(String path) {
    return translated(path, () -> store.head(new ObjectKey(path)).isPresent());
  }

  /** Files only: stores have no folders. */
  @Override
  public void list(Consumer<Listed> sink) {
    try {
      store.list("", stat -> sink.accept(new Listed(stat.key().value(), Kind.FILE)));
    } catch (StorageException e) {
      throw new CvmfsException.Retryable("cannot list " + name + ": " + e.getMessage(), e);
    }
  }

  private <T> T translated(String path, Supplier<T> action) {
    try {
      return action.get();
    } catch (StorageException e) {
      String what = "cannot read " + path + " in " + name + ": " + e.getMessage();
      throw switch (e) {
        case StorageException.NotFound _ -> new CvmfsException.NotFound(what);
        case StorageException.Rejected _ -> new CvmfsException.Rejected(what, e);
        default -> new CvmfsException.Retryable(what, e);
      };
    }
  }

  @Override
  public void close() {
    store.close();
  }

  @Override
  public String toString() {
    return name;
  }
}
