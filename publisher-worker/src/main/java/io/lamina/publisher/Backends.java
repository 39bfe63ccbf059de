package io.lamina.publisher;

import io.lamina.repository.CatalogCompression;
import io.lamina.repository.PublisherBackend;
import io.lamina.repository.Repository;
import io.lamina.repository.RepositoryException;

/** Chooses who writes a repository's transactions. */
final class Backends {
  private Backends() {}

  /** The backend that the definition names; closes the repository with itself. */
  static PublisherBackend open(Repository repository) {
    return switch (repository.definition().backend()) {
      case NATIVE -> repository.writer(CatalogCompression.FOR_PUBLISHERS);
      case CVMFS_SERVER ->
          throw new RepositoryException.Rejected(
              "the definition of "
                  + repository.name()
                  + " asks for the backend cvmfs_server, which this release does not have; use"
                  + " native");
    };
  }
}
