package io.lamina.repository;

import io.lamina.cvmfs.CvmfsException;
import io.lamina.cvmfs.catalog.CatalogEntry;
import io.lamina.cvmfs.catalog.CatalogReader;
import io.lamina.cvmfs.catalog.Graft;
import io.lamina.storage.ObjectStore;
import java.util.Optional;

/**
 * Compares what somebody else says of a nested catalog with the catalog: whoever hangs it in
 * believes that without opening it. Thread-safe.
 */
public final class GraftCheck {
  private final ObjectStore store;

  /**
   * @param store holds the catalogs
   */
  public GraftCheck(ObjectStore store) {
    this.store = store;
  }

  /**
   * What is not as the graft says; empty if all is.
   *
   * @throws io.lamina.storage.StorageException.Retryable if the store is out of reach
   */
  public Optional<String> difference(Graft graft) {
    try {
      byte[] database = new CatalogStore(store, 0).read(graft.catalog());
      if (database.length != graft.catalogSizeBytes()) {
        return Optional.of("it has " + database.length + " bytes, not " + graft.catalogSizeBytes());
      }
      try (CatalogReader reader = CatalogReader.open(database)) {
        if (!reader.mount().equals(graft.path())) {
          return Optional.of("it was made for " + reader.mount() + ", not for " + graft.path());
        }
        if (!reader.total().equals(graft.total())) {
          return Optional.of("it counts " + reader.total() + ", not " + graft.total());
        }
        Optional<CatalogEntry> root = reader.lookup(graft.path()).map(reader::entry);
        return root.equals(Optional.of(graft.root()))
            ? Optional.empty()
            : Optional.of("its root is " + root + ", not " + graft.root());
      }
    } catch (RepositoryException.Corrupt | CvmfsException.Corrupt | CvmfsException.Rejected e) {
      return Optional.of(String.valueOf(e.getMessage()));
    }
  }
}
