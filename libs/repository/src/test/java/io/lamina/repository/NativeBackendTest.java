package io.lamina.repository;

import io.lamina.storage.InMemoryObjectStore;
import io.lamina.storage.ObjectStore;
import java.util.List;

class NativeBackendTest extends PublisherBackendContract {
  private final ObjectStore store = new InMemoryObjectStore(TestRepository.CLOCK);
  private FaultyStore faulty = new FaultyStore(store);
  private int intrusions;

  NativeBackendTest() {
    TestRepository.create(store);
  }

  @Override
  protected PublisherBackend open() {
    faulty = new FaultyStore(store);
    return TestRepository.writer(faulty);
  }

  @Override
  protected ObjectStore staging() {
    return store;
  }

  @Override
  protected ObjectStore published() {
    return store;
  }

  @Override
  protected void failNextTransaction() {
    faulty.loseReplyTo(RepositoryFiles.MANIFEST, false);
  }

  @Override
  protected void letOthersStandInTheWay() {
    faulty.before(RepositoryFiles.MANIFEST, this::intrude);
  }

  /** Commits first, and will do so at the next attempt. */
  private void intrude() {
    try (RepositoryWriter other = TestRepository.writer(store)) {
      other.commit(
          List.of(TestRepository.link("/others/" + intrusions++, "x")),
          TestRepository.TIME,
          TestRepository.RECORDER);
    }
    letOthersStandInTheWay();
  }

  @Override
  protected void letOthersGoAway() {
    faulty.before(RepositoryFiles.MANIFEST, () -> {});
  }

  @Override
  protected void dieAfterNextCommit() {
    faulty.killAfterSwapOf(RepositoryFiles.MANIFEST);
  }
}
