package io.lamina.standalone;

import io.lamina.cvmfs.RepositoryName;
import io.lamina.gateway.problem.GatewayException;
import io.lamina.gateway.problem.ProblemType;
import io.lamina.gateway.repository.RepositoryDirectory;
import io.lamina.repository.Repositories;
import io.lamina.repository.Repository;
import io.lamina.repository.RepositoryDefinition;
import io.lamina.repository.RepositoryException;
import java.time.Clock;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** A data folder's repositories as a gateway shows and creates them. Thread-safe. */
final class FolderRepositories implements RepositoryDirectory {
  private final Repositories repositories;
  private final Clock clock;

  FolderRepositories(Repositories repositories, Clock clock) {
    this.repositories = repositories;
    this.clock = clock;
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
    if (repositories.definition(name).isEmpty()) {
      return Optional.empty();
    }
    try (Repository repository = repositories.open(name)) {
      return Optional.of(known(repository));
    }
  }

  @Override
  public Known create(RepositoryName name) {
    try (Repository created =
        RepositoryAccess.create(
            repositories, name, Optional.empty(), RepositoryDefinition.Settings.DEFAULT, clock)) {
      return known(created);
    } catch (RepositoryException.Rejected e) {
      throw new GatewayException.Refused(ProblemType.CONFLICT, String.valueOf(e.getMessage()));
    }
  }

  private Known known(Repository repository) {
    return new Known(
        repository.name(),
        repository
            .definition()
            .storage()
            .map(Object::toString)
            .orElseGet(() -> repositories.localFolder(repository.name()).toString()),
        Optional.of(RepositoryAccess.whitelistExpiry(repository)));
  }
}
