package io.lamina.repository;

import static io.lamina.repository.TestRepository.RECORDER;
import static io.lamina.repository.TestRepository.TIME;
import static io.lamina.repository.TestRepository.create;
import static io.lamina.repository.TestRepository.layer;
import static io.lamina.repository.TestRepository.link;
import static io.lamina.repository.TestRepository.writer;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.lamina.cvmfs.catalog.CatalogChange;
import io.lamina.storage.ObjectStore;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.Test;

class RepositoryWriterFaultTest {
  private final ObjectStore store = create();
  private final FaultyStore faulty = new FaultyStore(store);

  @Test
  void isWholeAndPublishedOnceWhereverTheWriterIsKilled() {
    int writes = writesOfOneTransaction();
    boolean published = false;
    for (int survived = 0; survived <= writes; survived++) {
      ObjectStore each = create();
      List<CatalogChange> changes = changes(each);
      FaultyStore dying = new FaultyStore(each);
      dying.killAfter(survived);
      try (RepositoryWriter writer = writer(dying)) {
        writer.commit(changes, TIME, RECORDER);
        assertThat(survived).isEqualTo(writes);
      } catch (FaultyStore.Killed e) {
        assertThat(survived).isLessThan(writes);
      }
      boolean visible = TestRepository.repository(each).manifest().manifest().revision() == 1;
      assertThat(visible)
          .as("after %s of %s writes", survived, writes)
          .isEqualTo(survived == writes);

      try (RepositoryWriter successor = writer(each)) {
        Committed committed = successor.commit(changes, TIME + 5, RECORDER);
        assertThat(committed.isPublished()).isEqualTo(!visible);
        assertThat(committed.revision()).isEqualTo(1);
        assertThat(successor.recordOf(committed.root()))
            .contains(("record of " + committed.root()).getBytes(StandardCharsets.UTF_8));
      }
      RepositoryChecker.check(each);
      published |= visible;
    }
    assertThat(published).isTrue();
  }

  @Test
  void swapsTheManifestLastAndAfterEverythingIsDurable() {
    try (RepositoryWriter writer = writer(faulty)) {
      writer.commit(changes(store), TIME, RECORDER);
    }

    List<String> calls = faulty.calls();
    assertThat(calls.getLast()).isEqualTo("swap .cvmfspublished");
    assertThat(calls.subList(calls.size() - 3, calls.size() - 1))
        .containsExactlyInAnyOrder("flush", "swap .cvmfsreflog");
    assertThat(calls.subList(0, calls.size() - 3)).allMatch(call -> call.startsWith("put "));
    assertThat(calls).doesNotHaveDuplicates();
  }

  @Test
  void mendsTheReflogThatADeadWriterLeftEvenIfThereIsNothingToPublish() {
    faulty.killAfter(writesOfOneTransaction() - 1);
    try (RepositoryWriter writer = writer(faulty)) {
      assertThatThrownBy(() -> writer.commit(changes(store), TIME, RECORDER))
          .isInstanceOf(FaultyStore.Killed.class);
    }

    try (RepositoryWriter successor = writer(store)) {
      assertThat(successor.commit(List.of(), TIME, RECORDER).isPublished()).isFalse();
    }
    RepositoryChecker.check(store);
  }

  @Test
  void recognisesItsCommitWhenTheReplyIsLost() {
    faulty.loseReplyTo(RepositoryFiles.MANIFEST, true);
    try (RepositoryWriter writer = writer(faulty)) {
      Committed committed = writer.commit(changes(store), TIME, RECORDER);

      assertThat(committed.revision()).isEqualTo(1);
      assertThat(writer.commit(changes(store), TIME, RECORDER).isPublished()).isFalse();
    }
    RepositoryChecker.check(store);
  }

  @Test
  void saysSoWhenTheCommitIsLostWithItsReply() {
    faulty.loseReplyTo(RepositoryFiles.MANIFEST, false);
    try (RepositoryWriter writer = writer(faulty)) {
      assertThatThrownBy(() -> writer.commit(changes(store), TIME, RECORDER))
          .isInstanceOf(RepositoryException.Retryable.class);

      assertThat(writer.commit(changes(store), TIME, RECORDER).revision()).isEqualTo(1);
    }
    RepositoryChecker.check(store);
  }

  @Test
  void recognisesItsCommitUnderOthersThatFollowed() {
    faulty.loseReplyTo(RepositoryFiles.MANIFEST, true);
    // The other writer commits between the lost reply and the reading of the manifest.
    ObjectStore racing = new FollowedStore(faulty, store);
    try (RepositoryWriter writer = writer(racing)) {
      Committed committed = writer.commit(changes(store), TIME, RECORDER);

      assertThat(committed.revision()).isEqualTo(1);
      assertThat(writer.head().revision()).isEqualTo(2);
    }
    RepositoryChecker.check(store);
  }

  @Test
  void writesTheReflogAgainWhenItsReplyIsLost() {
    for (boolean done : new boolean[] {true, false}) {
      faulty.loseReplyTo(RepositoryFiles.REFLOG, done);
      try (RepositoryWriter writer = writer(faulty)) {
        Committed committed = writer.commit(List.of(link("/r/lost-" + done, "x")), TIME, RECORDER);
        assertThat(committed.timings().attempts()).isEqualTo(2);
      }
      RepositoryChecker.check(store);
    }
  }

  @Test
  void buildsOnWhatAnotherWriterCommittedMeanwhile() {
    for (var file : List.of(RepositoryFiles.REFLOG, RepositoryFiles.MANIFEST)) {
      try (RepositoryWriter writer = writer(faulty);
          RepositoryWriter other = writer(store)) {
        faulty.before(
            file, () -> other.commit(List.of(link("/r/other" + file, "x")), TIME, RECORDER));
        Committed committed = writer.commit(List.of(link("/r/mine" + file, "y")), TIME, RECORDER);

        assertThat(committed.timings().attempts()).isEqualTo(2);
      }
      assertThat(RepositoryChecker.check(store)).containsKeys("/r/other" + file, "/r/mine" + file);
    }
    assertThat(TestRepository.repository(store).manifest().manifest().revision()).isEqualTo(4);
  }

  @Test
  void losesNoChangeOfWritersThatRace() throws Exception {
    int writers = 4;
    int transactions = 5;
    try (ExecutorService executor = Executors.newFixedThreadPool(writers)) {
      List<Callable<Integer>> jobs = new ArrayList<>();
      for (int w = 0; w < writers; w++) {
        int id = w;
        jobs.add(
            () -> {
              int published = 0;
              try (RepositoryWriter writer = writer(store)) {
                while (published < transactions) {
                  try {
                    writer.commit(
                        List.of(link("/r/w" + id + "/t" + published, "x")), TIME, RECORDER);
                    published++;
                  } catch (RepositoryException.Conflict e) {
                    // Bounded in the writer; the caller tries again.
                  }
                }
              }
              return published;
            });
      }
      for (Future<Integer> result : executor.invokeAll(jobs)) {
        assertThat(result.get()).isEqualTo(transactions);
      }
    }

    assertThat(RepositoryChecker.check(store).keySet())
        .filteredOn(path -> path.matches("/r/w./t."))
        .hasSize(writers * transactions);
    assertThat(TestRepository.repository(store).manifest().manifest().revision())
        .isEqualTo(writers * transactions);
  }

  private int writesOfOneTransaction() {
    ObjectStore sample = create();
    FaultyStore counting = new FaultyStore(sample);
    try (RepositoryWriter writer = writer(counting)) {
      writer.commit(changes(sample), TIME, RECORDER);
    }
    return counting.calls().size();
  }

  private static List<CatalogChange> changes(ObjectStore target) {
    return List.of(layer(target, "x"), layer(target, "y"), link("/r.example/a:1", "../x"));
  }
}
