package io.lamina.converter;

import io.lamina.cvmfs.RepositoryName;
import io.lamina.repository.Repositories;
import io.lamina.repository.RepositoryDefinition;
import io.lamina.repository.StoreOpeners;
import io.lamina.storage.ObjectStore;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.time.Clock;
import java.time.Instant;

/** A data folder with one repository, which several processes may use. */
final class DataFolder implements AutoCloseable {
  static final RepositoryName NAME = new RepositoryName("images.example.org");

  private final CataloguedStores stores;

  private DataFolder(Repositories repositories) {
    this.stores = new CataloguedStores(repositories);
  }

  static DataFolder create(Path folder) {
    Repositories repositories = repositories(folder);
    repositories
        .create(
            RepositoryDefinition.inDataFolder(
                NAME, RepositoryDefinition.Settings.DEFAULT, Instant.parse("2026-01-01T00:00:00Z")),
            new SecureRandom(),
            Clock.systemUTC())
        .close();
    return new DataFolder(repositories);
  }

  static DataFolder open(Path folder) {
    return new DataFolder(repositories(folder));
  }

  private static Repositories repositories(Path folder) {
    return new Repositories(
        folder, StoreOpeners.forConverters(Clock.systemUTC(), new SecureRandom()));
  }

  CataloguedStores stores() {
    return stores;
  }

  ObjectStore store() {
    return stores.find(NAME).orElseThrow();
  }

  @Override
  public void close() {
    stores.close();
  }
}
