package io.lamina.repository;

import io.lamina.storage.InMemoryObjectStore;
import io.lamina.storage.ObjectStore;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.io.TempDir;

/** The contract on a release manager that this test plays. */
class CvmfsServerBackendTest extends ReleaseManagerContract {
  private final ObjectStore store = new InMemoryObjectStore(TestRepository.CLOCK);
  private final Path folder;
  private final FakeReleaseManager manager;
  private FaultyStore faulty = new FaultyStore(store);

  CvmfsServerBackendTest(@TempDir Path folder) throws IOException {
    this.folder = folder;
    TestRepository.create(store);
    TestRepository.keys().save(Files.createDirectory(folder.resolve("our-keys")));
    manager = new FakeReleaseManager(Files.createDirectory(folder.resolve("manager")));
  }

  @AfterEach
  void close() {
    manager.close();
  }

  @Override
  protected PublisherBackend open() {
    faulty = new FaultyStore(store);
    return TestRepository.following(
        faulty, folder, manager.definition(Duration.ofSeconds(60), false), TestRepository.CLOCK);
  }

  @Override
  protected ObjectStore staging() {
    return store;
  }

  @Override
  protected ObjectStore published() {
    return manager.store();
  }

  @Override
  protected void failNextTransaction() {
    manager.failNext("ingest", FakeReleaseManager.Failure.BEFORE_PUBLISHING);
  }

  @Override
  protected void letOthersStandInTheWay() {
    manager.openTransaction();
  }

  @Override
  protected void letOthersGoAway() {
    manager.endTransaction();
  }

  @Override
  protected void dieAfterNextCommit() {
    faulty.before(
        RepositoryFiles.MANIFEST,
        () -> {
          throw new FaultyStore.Killed();
        });
  }
}
