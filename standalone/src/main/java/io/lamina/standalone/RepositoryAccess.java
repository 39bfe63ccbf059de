package io.lamina.standalone;

import io.lamina.cvmfs.RepositoryName;
import io.lamina.repository.Repositories;
import io.lamina.repository.Repository;
import io.lamina.repository.RepositoryDefinition;
import io.lamina.repository.RepositoryException;
import io.lamina.repository.StoreOpeners;
import io.lamina.repository.releasemanager.PublishedRepository;
import io.lamina.storage.StorageLocation;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.time.Clock;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.Optional;

/** Opens and creates the repositories of a data folder with the standard stores. Stateless. */
public final class RepositoryAccess {
  private RepositoryAccess() {}

  /** The repositories that a data folder defines, for who writes objects and for who reads. */
  public static Repositories in(Path dataFolder) {
    return new Repositories(
        dataFolder, StoreOpeners.forConverters(Clock.systemUTC(), new SecureRandom()));
  }

  /** The same for who commits transactions. */
  static Repositories forPublishers(Path dataFolder) {
    return new Repositories(
        dataFolder, StoreOpeners.forPublishers(Clock.systemUTC(), new SecureRandom()));
  }

  /** The same for a replay, which stores many objects and commits many transactions. */
  public static Repositories forReplay(Path dataFolder) {
    return forPublishers(dataFolder);
  }

  /**
   * Creates a repository with new keys.
   *
   * @param storage where it lies; empty for the data folder itself
   */
  public static Repository create(
      Repositories repositories,
      RepositoryName name,
      Optional<StorageLocation> storage,
      RepositoryDefinition.Settings settings,
      Clock clock) {
    return create(
        repositories, name, storage, RepositoryDefinition.Backend.NATIVE, settings, clock);
  }

  /**
   * As {@link #create(Repositories, RepositoryName, Optional, RepositoryDefinition.Settings,
   * Clock)} with a choice of who writes the transactions.
   *
   * @throws io.lamina.repository.RepositoryException.Rejected if a release manager is named whose
   *     repository cannot be read and verified
   */
  public static Repository create(
      Repositories repositories,
      RepositoryName name,
      Optional<StorageLocation> storage,
      RepositoryDefinition.Backend backend,
      RepositoryDefinition.Settings settings,
      Clock clock) {
    if (backend instanceof RepositoryDefinition.Backend.CvmfsServer server) {
      requireFree(name, server, clock);
    }
    Instant now = clock.instant().truncatedTo(ChronoUnit.SECONDS);
    return repositories.create(
        new RepositoryDefinition(name, storage, Optional.empty(), backend, settings, now),
        new SecureRandom(),
        clock);
  }

  private static void requireFree(
      RepositoryName name, RepositoryDefinition.Backend.CvmfsServer server, Clock clock) {
    try (PublishedRepository published = published(name, server, clock)) {
      if (published.shown().isPresent()) {
        throw new RepositoryException.Rejected(
            "the repository "
                + name
                + " on the release manager is published to from another data folder already: it"
                + " shows that one's root catalog "
                + published.shown().get());
      }
    }
  }

  /** What a release manager's repository shows now. */
  public static PublishedRepository published(
      RepositoryName name, RepositoryDefinition.Backend.CvmfsServer server, Clock clock) {
    return PublishedRepository.open(
        name, server, Path.of(System.getProperty("java.io.tmpdir")), clock);
  }

  /** When clients will refuse the repository unless its whitelist is signed again. */
  public static Instant whitelistExpiry(Repository repository) {
    return repository.whitelist().unverified().expiresAt();
  }
}
