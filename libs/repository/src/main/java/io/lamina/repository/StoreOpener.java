package io.lamina.repository;

import io.lamina.storage.ObjectStore;
import io.lamina.storage.StorageLocation;

/** Opens the storage that a definition names. Thread-safe. */
@FunctionalInterface
public interface StoreOpener {
  /**
   * @throws io.lamina.storage.StorageException.Rejected if this process cannot use it
   */
  ObjectStore open(StorageLocation location);
}
