package io.lamina.repository;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.lamina.cvmfs.ContentHash;
import io.lamina.cvmfs.ObjectKind;
import io.lamina.cvmfs.catalog.CatalogChange;
import io.lamina.repository.collection.CollectionReport;
import io.lamina.repository.collection.CollectionRoots;
import io.lamina.repository.collection.CollectionSettings;
import io.lamina.repository.collection.ObjectCollection;
import io.lamina.storage.Content;
import io.lamina.storage.ObjectKey;
import io.lamina.storage.ObjectStore;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ObjectCollectionTest {
  @TempDir Path folder;

  @SuppressWarnings("NullAway.Init") // before each test
  private CollectedRepository repository;

  @BeforeEach
  void create() {
    repository = new CollectedRepository(folder);
  }

  @AfterEach
  void close() throws Exception {
    repository.close();
    try (Stream<Path> left = Files.list(folder)) {
      assertThat(left).as("work folders").isEmpty();
    }
  }

  @Test
  void removesAnUnreferencedLayerOnceHistoryAndGraceAreOver() {
    CatalogChange.Attach gone = TestRepository.layer(repository.store, "gone");
    repository.commit(gone, TestRepository.layer(repository.store, "stays"));
    repository.days(1);
    repository.commit(repository.removal("gone"));
    repository.commit(TestRepository.file(repository.store, "/later", "later"));

    repository.days(4);
    assertThat(repository.collect().removed().objects()).isZero();
    repository.days(2);
    CollectionReport report = repository.collect();

    assertThat(report.removed().objects()).isGreaterThanOrEqualTo(3);
    assertThat(report.forgottenRevisions()).isPositive();
    assertThat(repository.has(ObjectKind.CATALOG, gone.graft().catalog())).isFalse();
    assertThat(repository.shows("stays")).isTrue();
    assertThat(repository.stored()).containsAll(repository.reachable());
    RepositoryChecker.check(repository.store);
    assertThat(repository.collect().removed()).isEqualTo(CollectionReport.Amount.NONE);
  }

  @Test
  void onlyCountsInADryRun() {
    repository.commit(TestRepository.layer(repository.store, "gone"));
    repository.days(1);
    repository.commit(repository.removal("gone"));
    repository.commit(TestRepository.file(repository.store, "/later", "later"));
    repository.days(20);
    Set<String> before = repository.stored();
    byte[] reflog = repository.store.read(RepositoryFiles.REFLOG, 1 << 20);

    CollectionReport report = repository.collect(CollectionRoots.NONE, true);

    assertThat(repository.stored()).isEqualTo(before);
    assertThat(repository.store.read(RepositoryFiles.REFLOG, 1 << 20)).isEqualTo(reflog);
    assertThat(repository.store.head(ObjectStore.SWEEP_MARK)).isEmpty();
    CollectionReport real = repository.collect();
    assertThat(real.removed()).isEqualTo(report.removed());
    assertThat(real.removed().objects()).isEqualTo(before.size() - repository.stored().size());
    assertThat(report.toString()).startsWith("would remove " + report.removed().objects());
  }

  @Test
  void deletesNothingIfACatalogIsMissingOrDamaged() {
    CatalogChange.Attach layer = TestRepository.layer(repository.store, "stays");
    repository.commit(layer);
    TestRepository.layer(repository.store, "never published");
    repository.days(20);
    ObjectKey key = new ObjectKey(ObjectKind.CATALOG.pathOf(layer.graft().catalog()));
    byte[] catalog = repository.store.read(key, 1 << 20);
    repository.store.delete(key);
    Set<String> before = repository.stored();

    assertThatThrownBy(() -> repository.collect())
        .isInstanceOf(RepositoryException.Corrupt.class)
        .hasMessageContaining(layer.graft().catalog() + " is referred to and missing");
    catalog[catalog.length / 2] ^= 1;
    repository.store.putIfAbsent(key, Content.of(catalog));
    assertThatThrownBy(() -> repository.collect())
        .isInstanceOf(RepositoryException.Corrupt.class)
        .hasMessageContaining("has other content");

    before.add(key.value());
    assertThat(repository.stored()).isEqualTo(before);
  }

  @Test
  void deletesNothingIfTheReflogOrTheHistoryCannotBeRead() {
    repository.commit(TestRepository.layer(repository.store, "stays"));
    TestRepository.layer(repository.store, "never published");
    repository.days(20);
    Set<String> before = repository.stored();
    ObjectStore.Versioned reflog =
        repository.store.readMutable(RepositoryFiles.REFLOG, 1 << 20).orElseThrow();
    ObjectStore.Version torn =
        repository.store.swap(
            RepositoryFiles.REFLOG, Optional.of(reflog.version()), new byte[] {1, 2, 3});

    assertThatThrownBy(() -> repository.collect())
        .isInstanceOf(RepositoryException.Corrupt.class)
        .hasMessageContaining("the reflog of " + TestRepository.NAME);
    repository.store.swap(RepositoryFiles.REFLOG, Optional.of(torn), reflog.bytes());
    ContentHash history =
        TestRepository.repository(repository.store).manifest().manifest().history().orElseThrow();
    repository.store.delete(new ObjectKey(ObjectKind.HISTORY.pathOf(history)));
    assertThatThrownBy(() -> repository.collect())
        .isInstanceOf(RepositoryException.Corrupt.class)
        .hasMessageContaining("history " + history);

    before.remove(ObjectKind.HISTORY.pathOf(history));
    assertThat(repository.stored()).isEqualTo(before);
  }

  @Test
  void keepsWhatUnfinishedRequestsReferTo() {
    CatalogChange.Attach held = TestRepository.layer(repository.store, "held");
    CatalogChange.PutFile config = TestRepository.file(repository.store, "/config", "config");
    repository.days(20);

    CollectionRoots outside =
        new CollectionRoots(Set.of(held.graft().catalog()), Set.of(config.object()));
    assertThat(repository.collect(outside, false).removed().objects()).isZero();
    repository.commit(held, config);
    RepositoryChecker.check(repository.store);
  }

  @Test
  void keepsWhatAWriterFoundWhileItWasBeingSwept() {
    TestRepository.layer(repository.store, "old");
    repository.days(20);

    try (ObjectCollection collection =
        new ObjectCollection(
            repository.store, repository.writer, repository.settings(), repository.clock, false)) {
      collection.mark(CollectionRoots.NONE);
      collection.forget(() -> {});
      CatalogChange.Attach again = TestRepository.layer(repository.store, "old");
      for (int shard = 0; shard < ObjectCollection.SHARDS; shard++) {
        collection.sweep(shard, () -> {});
      }
      collection.finish();
      repository.commit(again);
    }

    RepositoryChecker.check(repository.store);
    assertThat(repository.shows("old")).isTrue();
  }

  @Test
  void leavesFilesThatAreNoObjectsAndRecordsThatTheJournalMayNeed() {
    Committed committed =
        repository.writer.commit(
            java.util.List.of(TestRepository.layer(repository.store, "stays")),
            repository.clock.instant().getEpochSecond(),
            TestRepository.RECORDER);
    ObjectKey notes = new ObjectKey("data/ab/README");
    ObjectKey upload = new ObjectKey("uploads/ab/" + "ab".repeat(32));
    ObjectKey spent = RepositoryFiles.record(ContentHash.parse("ab".repeat(20)));
    for (ObjectKey key : new ObjectKey[] {notes, upload, spent}) {
      repository.store.putIfAbsent(key, Content.of(new byte[] {1}));
    }
    repository.days(20);

    assertThat(repository.collect().foreignFiles()).isOne();

    assertThat(repository.store.head(notes)).isPresent();
    assertThat(repository.store.head(upload)).isPresent();
    assertThat(repository.writer.recordOf(committed.root())).isPresent();
    assertThat(repository.store.head(spent)).as("of an attempt that came to nothing").isEmpty();
    assertThat(repository.store.head(ObjectStore.SWEEP_MARK)).isEmpty();
  }

  @Test
  void forgetsOldRevisionsInTheReflogAndSignsThat() {
    for (int i = 0; i < 12; i++) {
      repository.commit(TestRepository.file(repository.store, "/file", "content " + i));
      repository.days(1);
    }
    long revision = TestRepository.repository(repository.store).manifest().manifest().revision();

    CollectionReport report = repository.collect();

    assertThat(report.forgottenRevisions()).isPositive();
    assertThat(TestRepository.repository(repository.store).manifest().manifest().revision())
        .isEqualTo(revision);
    RepositoryChecker.check(repository.store);
    Set<String> unreachable = new TreeSet<>(repository.stored());
    unreachable.removeAll(repository.reachable());
    unreachable.removeAll(repository.always());
    assertThat(unreachable).isEmpty();
    repository.commit(TestRepository.file(repository.store, "/file", "next"));
    RepositoryChecker.check(repository.store);
  }

  @Test
  void stopsBeforeItChangesAnythingIfSomebodyElseOwnsTheRepository() {
    repository.commit(TestRepository.layer(repository.store, "gone"));
    repository.days(1);
    repository.commit(repository.removal("gone"));
    repository.commit(TestRepository.file(repository.store, "/later", "later"));
    repository.days(20);
    Set<String> before = repository.stored();

    try (ObjectCollection collection =
        new ObjectCollection(
            repository.store, repository.writer, repository.settings(), repository.clock, false)) {
      assertThatThrownBy(
              () ->
                  collection.run(
                      CollectionRoots.NONE,
                      () -> {
                        throw new RepositoryException.Retryable("not the owner", null);
                      }))
          .hasMessage("not the owner");
    }

    assertThat(repository.stored()).isEqualTo(before);
  }

  @Test
  void refusesBoundsThatConversionsWouldNotSurvive() {
    assertThatThrownBy(
            () -> new CollectionSettings(Duration.ofHours(47), Duration.ofDays(9), 2, 1, folder))
        .hasMessageContaining("the grace period is at least 48 h");
    assertThatThrownBy(
            () -> new CollectionSettings(Duration.ofDays(7), Duration.ofHours(1), 2, 1, folder))
        .hasMessageContaining("at least 1 day of history");
  }
}
