package io.lamina.converter;

import io.lamina.cvmfs.RepositoryName;
import io.lamina.repository.Repositories;
import io.lamina.repository.Repository;
import io.lamina.repository.RepositoryDefinition;
import io.lamina.storage.ObjectStore;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * The stores of the repositories that are defined in a data folder. Each is opened when it is first
 * needed and stays open; one whose definition was changed is opened anew. Thread-safe; close it
 * after the last use of any store.
 */
public final class CataloguedStores implements RepositoryStores, AutoCloseable {
  private final Repositories repositories;
  // Guarded by this.
  private final Map<RepositoryName, Repository> open = new HashMap<>();
  private final List<Repository> outdated = new ArrayList<>();

  public CataloguedStores(Repositories repositories) {
    this.repositories = repositories;
  }

  @Override
  public List<RepositoryName> known() {
    return repositories.list();
  }

  @Override
  public synchronized Optional<ObjectStore> find(RepositoryName name) {
    Optional<RepositoryDefinition> definition = repositories.definition(name);
    if (definition.isEmpty()) {
      return Optional.empty();
    }
    Repository known = open.get(name);
    if (known != null && known.definition().equals(definition.get())) {
      return Optional.of(known.store());
    }
    Repository opened = repositories.open(name);
    open.put(name, opened);
    if (known != null) {
      // Work that began with it may still go on.
      outdated.add(known);
    }
    return Optional.of(opened.store());
  }

  @Override
  public synchronized void close() {
    open.values().forEach(Repository::close);
    outdated.forEach(Repository::close);
    open.clear();
    outdated.clear();
  }
}
