package io.lamina.gateway.upload;

import io.lamina.cvmfs.RepositoryName;
import io.lamina.storage.ObjectStore;
import java.util.Optional;

/** Finds the storage of a repository. Thread-safe, does not block. */
public interface RepositoryStores {
  /** For a process that has none. */
  RepositoryStores NONE = name -> Optional.empty();

  /** The repository's own storage, its root being the repository's; not to be closed. */
  Optional<ObjectStore> storeOf(RepositoryName name);
}
