package io.lamina.repository;

import io.lamina.storage.ObjectStore;

/** Opens the storage that a definition names. Thread-safe. */
@FunctionalInterface
public interface StoreOpener {
  /**
   * @param location text form of a storage location
   * @throws io.lamina.storage.StorageException.Rejected if it is not one that this process can use
   */
  ObjectStore open(String location);
}
