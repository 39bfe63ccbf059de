package io.lamina.repository;

import static io.lamina.repository.TestRepository.RECORDER;
import static io.lamina.repository.TestRepository.TIME;
import static io.lamina.repository.TestRepository.layer;
import static io.lamina.repository.TestRepository.link;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.lamina.cvmfs.RepositoryPath;
import io.lamina.cvmfs.catalog.CatalogChange;
import io.lamina.repository.FakeReleaseManager.Failure;
import io.lamina.storage.InMemoryObjectStore;
import io.lamina.storage.ObjectStore;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A release manager's tool that goes wrong. */
class CvmfsServerFaultTest {
  private static final Duration LONG = Duration.ofSeconds(60);

  private final ObjectStore store = new InMemoryObjectStore(TestRepository.CLOCK);
  private final Path folder;
  private final FakeReleaseManager manager;

  CvmfsServerFaultTest(@TempDir Path folder) throws IOException {
    this.folder = folder;
    TestRepository.create(store);
    TestRepository.keys().save(Files.createDirectory(folder.resolve("our-keys")));
    manager = new FakeReleaseManager(Files.createDirectory(folder.resolve("manager")));
  }

  @AfterEach
  void close() {
    manager.close();
  }

  private RepositoryWriter open() {
    return open(store, manager, LONG);
  }

  private RepositoryWriter open(ObjectStore staging, FakeReleaseManager on, Duration timeout) {
    return TestRepository.following(
        staging, folder, on.definition(timeout, false), TestRepository.CLOCK);
  }

  private Map<String, String> shown() {
    return PublishedTree.of(manager.store());
  }

  @Test
  void addsEverythingInOneIngest() {
    try (RepositoryWriter backend = open()) {
      backend.commit(
          List.of(layer(store, "x"), layer(store, "y"), link("/r.example/a:1", "t")),
          TIME,
          RECORDER);
    }

    assertThat(manager.calls())
        .containsExactly(
            List.of(
                "ingest",
                "-t",
                folder.resolve("our-work").resolve("additions.tar").toString(),
                "-b",
                "/",
                "-k",
                TestRepository.NAME.value()));
    assertThat(folder.resolve("our-work").resolve("additions.tar")).doesNotExist();
    assertThat(manager.environment())
        .contains("PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME=/")
        .allMatch(line -> line.matches("(PATH|HOME|LC_ALL|PWD|OLDPWD|SHLVL|_)=.*"));
  }

  @Test
  void writesTheContentOfEqualFilesOnce() {
    CatalogChange.Attach layer = layer(store, "x", "same");
    CatalogChange.Attach other = layer(store, "y", "same");
    try (RepositoryWriter backend = open()) {
      backend.commit(List.of(layer, other), TIME, RECORDER);
    }

    assertThat(manager.linked()).isEqualTo(2);
    assertThat(shown())
        .containsEntry(layer.path() + "/etc/motd", "file 644 0:0 samemotd")
        .containsEntry(other.path() + "/etc/motd", "file 644 0:0 samemotd");
  }

  @Test
  void removesWhatTheToolCanWithTheAdditionsAndOtherNamesByHand() {
    CatalogChange.Attach x = layer(store, "x");
    try (RepositoryWriter backend = open()) {
      backend.commit(
          List.of(x, link("/r.example/a:1", "t"), link("/r.example/b:1", "t")), TIME, RECORDER);
      backend.commit(
          List.of(new CatalogChange.Remove(x.path()), layer(store, "y")), TIME, RECORDER);

      assertThat(manager.calls().getLast())
          .containsSubsequence("ingest", "-t", "-d", x.path().toString().substring(1));
      assertThat(manager.commands()).containsExactly("ingest", "ingest");

      backend.commit(
          List.of(new CatalogChange.Remove(RepositoryPath.of("/r.example/a:1"))), TIME, RECORDER);
    }

    assertThat(manager.commands()).containsExactly("ingest", "ingest", "transaction", "publish");
    assertThat(shown())
        .doesNotContainKeys(x.path().toString(), "/r.example/a:1")
        .containsKey("/r.example/b:1");
  }

  @Test
  void endsAToolThatHangsAndAbortsItsTransaction() {
    manager.failNext("ingest", Failure.HANGS);
    try (RepositoryWriter backend = open(store, manager, Duration.ofSeconds(1))) {
      assertThatThrownBy(() -> backend.commit(List.of(layer(store, "x")), TIME, RECORDER))
          .isInstanceOf(RepositoryException.Retryable.class)
          .hasMessageContaining("it ran longer than PT1S")
          .hasMessageContaining("the child is gone");

      assertThat(manager.commands()).containsExactly("ingest", "abort");
      assertThat(manager.transactionLock()).doesNotExist();
      assertThat(backend.commit(List.of(layer(store, "x")), TIME, RECORDER).revision())
          .isEqualTo(1);
    }
  }

  @Test
  void endsTheToolAndItsTransactionWhenThePublisherIsStopped() {
    manager.failNext("ingest", Failure.HANGS);
    try (RepositoryWriter backend = open()) {
      Thread publisher = Thread.currentThread();
      Thread.ofVirtual()
          .start(
              () -> {
                while (!Files.exists(manager.hanging())) {
                  Thread.onSpinWait();
                }
                publisher.interrupt();
              });

      assertThatThrownBy(() -> backend.commit(List.of(layer(store, "x")), TIME, RECORDER))
          .isInstanceOf(RepositoryException.Retryable.class);
      assertThat(Thread.interrupted()).isTrue();
    }
    assertThat(manager.transactionLock()).doesNotExist();
  }

  @Test
  void abortsATransactionThatItsToolLeftOpen() {
    for (String failing : List.of("transaction", "publish")) {
      String image = "/r.example/" + failing + ":1";
      try (RepositoryWriter backend = open()) {
        backend.commit(List.of(link(image, "t")), TIME, RECORDER);
        List<CatalogChange> removal = List.of(new CatalogChange.Remove(RepositoryPath.of(image)));
        manager.failNext(failing, Failure.WITH_OPEN_TRANSACTION);

        assertThatThrownBy(() -> backend.commit(removal, TIME, RECORDER))
            .isInstanceOf(RepositoryException.Retryable.class)
            .hasMessageContaining("cvmfs_server " + failing)
            .hasMessageContaining("exit code 1, its last words: told to fail");
        assertThat(manager.commands().getLast()).isEqualTo("abort");
        assertThat(shown()).containsKey(image);

        backend.commit(removal, TIME, RECORDER);
        assertThat(shown()).doesNotContainKey(image);
      }
    }
  }

  @Test
  void leavesTheTransactionsOfOthersAlone() {
    try (RepositoryWriter backend = open()) {
      manager.openTransaction();
      assertThatThrownBy(() -> backend.commit(List.of(layer(store, "x")), TIME, RECORDER))
          .isInstanceOf(RepositoryException.Conflict.class)
          .hasMessageContaining("in_transaction.lock");
      assertThat(manager.calls()).isEmpty();
      manager.endTransaction();

      manager.failNext("ingest", Failure.OVERTAKEN);
      assertThatThrownBy(() -> backend.commit(List.of(layer(store, "x")), TIME, RECORDER))
          .isInstanceOf(RepositoryException.Conflict.class);
      assertThat(manager.transactionLock()).exists();
      assertThat(manager.commands()).containsExactly("ingest");
      manager.endTransaction();

      backend.commit(List.of(link("/r.example/a:1", "t")), TIME, RECORDER);
      manager.failNext("transaction", Failure.OVERTAKEN);
      assertThatThrownBy(
              () ->
                  backend.commit(
                      List.of(new CatalogChange.Remove(RepositoryPath.of("/r.example/a:1"))),
                      TIME,
                      RECORDER))
          .isInstanceOf(RepositoryException.Conflict.class);
      assertThat(manager.transactionLock()).exists();
      assertThat(manager.commands()).doesNotContain("abort");
    }
  }

  @Test
  void takesForPublishedWhatTheToolHadPublishedBeforeItFailed() {
    manager.failNext("ingest", Failure.AFTER_PUBLISHING);
    try (RepositoryWriter backend = open()) {
      Committed committed = backend.commit(List.of(layer(store, "x")), TIME, RECORDER);

      assertThat(committed.revision()).isEqualTo(1);
      assertThat(manager.commands()).containsExactly("ingest");
    }
  }

  @Test
  void doesNotBelieveAToolThatDidNothing() {
    manager.failNext("ingest", Failure.SILENTLY);
    try (RepositoryWriter backend = open()) {
      assertThatThrownBy(() -> backend.commit(List.of(layer(store, "x")), TIME, RECORDER))
          .isInstanceOf(RepositoryException.OutcomeUnknown.class)
          .hasMessageContaining("does not show it");
      assertThat(backend.head().revision()).isZero();
    }
    try (RepositoryWriter successor = open()) {
      CatalogChange.Attach x = layer(store, "x");
      successor.commit(List.of(x), TIME, RECORDER);
      assertThat(shown()).containsKey(x.path() + "/etc/motd");
    }
  }

  @Test
  void noticesWhatTheToolLostAndPublishesItAgain() {
    CatalogChange.Attach x = layer(store, "x");
    manager.failNext("ingest", Failure.LOSES_A_FILE);
    try (RepositoryWriter backend = open()) {
      assertThatThrownBy(() -> backend.commit(List.of(x), TIME, RECORDER))
          .isInstanceOf(RepositoryException.Corrupt.class)
          .hasMessageContaining("does not show what it was given");
      assertThat(backend.head().revision()).isZero();

      assertThat(backend.commit(List.of(x), TIME, RECORDER).revision()).isEqualTo(1);
    }
    assertThat(shown()).containsKeys(x.path() + "/etc/motd", x.path() + "/etc/hostname");
  }

  @Test
  void putsBackWhatWasRemovedForATreeThatNeverCame() {
    CatalogChange.Attach first = layer(store, "x", "before");
    CatalogChange.Attach second = layer(store, "x", "after");
    try (RepositoryWriter backend = open()) {
      backend.commit(List.of(first), TIME, RECORDER);
      manager.failLater("ingest", 1, Failure.BEFORE_PUBLISHING);
      assertThatThrownBy(() -> backend.commit(List.of(second), TIME, RECORDER))
          .isInstanceOf(RepositoryException.Retryable.class);
      assertThat(shown()).doesNotContainKey(first.path().toString());

      backend.commit(List.of(link("/r.example/a", "t")), TIME, RECORDER);
    }
    assertThat(shown())
        .containsEntry(first.path() + "/etc/motd", "file 644 0:0 beforemotd")
        .containsKey("/r.example/a");
  }

  @Test
  void bringsAnEmptyReleaseManagerUpToDateWhenItIsOpened() throws IOException {
    CatalogChange.Attach x = layer(store, "x");
    try (RepositoryWriter backend = open()) {
      backend.commit(List.of(x, link("/r.example/a:1", "t")), TIME, RECORDER);
    }
    Map<String, String> before = shown();

    try (FakeReleaseManager other =
            new FakeReleaseManager(Files.createDirectory(folder.resolve("other")));
        RepositoryWriter moved = open(store, other, LONG)) {
      assertThat(moved.head().revision()).isEqualTo(1);
      assertThat(PublishedTree.of(other.store())).isEqualTo(before);
    }
  }

  @Test
  void refusesAReleaseManagerThatAnotherDataFolderPublishesTo() {
    try (RepositoryWriter backend = open()) {
      backend.commit(List.of(layer(store, "x")), TIME, RECORDER);
    }
    ObjectStore strangers = TestRepository.create();

    assertThatThrownBy(
            () -> {
              try (RepositoryWriter backend = open(strangers, manager, LONG)) {
                backend.commit(List.of(link("/r/a", "t")), TIME, RECORDER);
              }
            })
        .isInstanceOf(RepositoryException.Rejected.class)
        .hasMessageContaining("was not made here");
    assertThat(manager.commands()).containsExactly("ingest");
  }

  @Test
  void replacesATreeThatAnotherToolHadPublishedAtTheSamePlace() {
    CatalogChange.Attach x = layer(store, "x");
    try (RepositoryWriter backend = open()) {
      backend.commit(List.of(x), TIME, RECORDER);
    }
    ObjectStore fresh = TestRepository.create();
    CatalogChange.Attach other = layer(fresh, "x", "ours");
    manager.removeByHand("/.lamina");
    try (RepositoryWriter backend = open(fresh, manager, LONG)) {
      backend.commit(List.of(other), TIME, RECORDER);
    }
    assertThat(shown()).containsEntry(x.path() + "/etc/motd", "file 644 0:0 oursmotd");
  }
}
