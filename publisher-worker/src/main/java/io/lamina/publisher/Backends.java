package io.lamina.publisher;

import io.lamina.repository.Follower;
import io.lamina.repository.PublisherBackend;
import io.lamina.repository.Repository;
import io.lamina.repository.RepositoryDefinition.Backend;
import io.lamina.repository.RepositoryException;
import io.lamina.repository.releasemanager.ReleaseManager;
import java.time.Clock;

/** Chooses who writes a repository's transactions. */
final class Backends {
  private Backends() {}

  /**
   * The backend that the definition names; closed before the repository.
   *
   * @throws RepositoryException as {@link Repository#writer(Follower)}
   */
  static PublisherBackend open(Repository repository, Clock clock) {
    return switch (repository.definition().backend()) {
      case Backend.Native _ -> repository.writer();
      case Backend.CvmfsServer server ->
          repository.writer(ReleaseManager.of(repository, server, clock));
    };
  }
}
