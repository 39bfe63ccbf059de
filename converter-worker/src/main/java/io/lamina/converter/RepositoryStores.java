package io.lamina.converter;

import io.lamina.cvmfs.RepositoryName;
import io.lamina.storage.ObjectStore;
import java.util.List;
import java.util.Optional;

/** The repositories that this process may add objects to. Thread-safe. */
public interface RepositoryStores {
  /** All that are known now, sorted. */
  List<RepositoryName> known();

  /**
   * The repository's store; empty if it is not known. It stays open as long as the process works;
   * who gets it does not close it.
   */
  Optional<ObjectStore> find(RepositoryName repository);
}
