package io.lamina.standalone;

import io.lamina.cvmfs.CvmfsException;
import io.lamina.cvmfs.RepositoryName;
import io.lamina.gateway.problem.GatewayException;
import io.lamina.gateway.problem.ProblemType;
import io.lamina.gateway.repository.RepositoryDirectory;
import io.lamina.repository.Repositories;
import io.lamina.repository.Repository;
import io.lamina.repository.RepositoryDefinition;
import io.lamina.repository.RepositoryException;
import io.lamina.storage.StorageException;
import io.lamina.storage.StorageLocation;
import java.time.Clock;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** A data folder's repositories as a gateway shows and creates them. Thread-safe. */
final class FolderRepositories implements RepositoryDirectory {
  private static final Logger LOG = LoggerFactory.getLogger(FolderRepositories.class);

  private final Repositories repositories;
  private final Clock clock;

  FolderRepositories(Repositories repositories, Clock clock) {
    this.repositories = repositories;
    this.clock = clock;
  }

  @Override
  public boolean knows(RepositoryName name) {
    return repositories.definition(name).isPresent();
  }

  @Override
  public List<Known> list() {
    List<Known> known = new ArrayList<>();
    for (RepositoryName name : repositories.list()) {
      find(name).ifPresent(known::add);
    }
    return known;
  }

  @Override
  public Optional<Known> find(RepositoryName name) {
    return repositories
        .definition(name)
        .map(definition -> new Known(name, place(definition), whitelistExpiry(name)));
  }

  /** Empty while the storage cannot tell: that hides neither this repository nor others. */
  private Optional<Instant> whitelistExpiry(RepositoryName name) {
    try (Repository repository = repositories.open(name)) {
      return Optional.of(RepositoryAccess.whitelistExpiry(repository));
    } catch (RepositoryException | StorageException | CvmfsException e) {
      LOG.atDebug().addKeyValue("repository", name).setCause(e).log("no whitelist can be read");
      return Optional.empty();
    }
  }

  @Override
  public Known create(RepositoryName name) {
    try (Repository created =
        RepositoryAccess.create(
            repositories, name, Optional.empty(), RepositoryDefinition.Settings.DEFAULT, clock)) {
      return new Known(
          name,
          place(created.definition()),
          Optional.of(RepositoryAccess.whitelistExpiry(created)));
    } catch (RepositoryException.Rejected e) {
      throw new GatewayException.Refused(ProblemType.CONFLICT, String.valueOf(e.getMessage()));
    }
  }

  /** For people; where the credentials are is nobody's business. */
  private String place(RepositoryDefinition definition) {
    return definition
        .storage()
        .map(
            storage ->
                switch (storage) {
                  case StorageLocation.Local local -> local.toString();
                  case StorageLocation.S3 s3 -> s3.withoutCredentials().toString();
                })
        .orElseGet(() -> repositories.localFolder(definition.name()).toString());
  }
}
