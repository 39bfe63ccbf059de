package io.lamina.journal.replay;

import static io.lamina.journal.replay.TestSite.CLOCK;
import static io.lamina.journal.replay.TestSite.NAME;
import static io.lamina.journal.replay.TestSite.link;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.lamina.cvmfs.ContentHash;
import io.lamina.cvmfs.ObjectKind;
import io.lamina.cvmfs.catalog.CatalogChange;
import io.lamina.cvmfs.check.CheckSettings;
import io.lamina.cvmfs.compression.Decompression;
import io.lamina.cvmfs.history.History;
import io.lamina.cvmfs.history.Tag;
import io.lamina.cvmfs.signing.Manifest;
import io.lamina.journal.Journal;
import io.lamina.journal.JournalEntry;
import io.lamina.journal.JournalException;
import io.lamina.journal.Snapshot;
import io.lamina.repository.Repository;
import io.lamina.repository.RepositoryException;
import io.lamina.storage.InMemoryObjectStore;
import io.lamina.storage.ObjectKey;
import io.lamina.storage.ObjectStore;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.BooleanSupplier;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

@SuppressWarnings("NullAway.Init")
class SnapshotReplayTest {
  private static final int SNAPSHOT_AT = 3;
  private static final int LAST = 6;

  @TempDir Path folder;
  private Path originalFolder;
  private Path copyFolder;
  private TestSite original;
  private TestSite.Source source;
  private Snapshot snapshot;
  private CatalogChange.Attach gone;
  private final InMemoryObjectStore copy = new InMemoryObjectStore(CLOCK);
  private Remaker remaker = Remaker.NONE;

  @BeforeEach
  void publish() {
    originalFolder = folder.resolve("original");
    copyFolder = folder.resolve("copy");
    original = new TestSite(originalFolder);
    gone = original.layer("gone");
    original.publish(
        List.of(
            List.of(original.layer("a"), original.layer("b")),
            List.of(original.file("/.metadata/r.example/i:1/manifest.json", "{1}")),
            List.of(gone, link("/r.example/i:1", "../.flat/1"))));
    source = new TestSite.Source(original.store);
    snapshot = Snapshot.take(source, TestSite.reader(originalFolder), Optional.empty());
    original.publish(
        List.of(
            List.of(original.layer("c"), link("/r.example/i:1", "../.flat/2")),
            List.of(new CatalogChange.Remove(gone.path())),
            List.of(original.layer("d"))));
    // The keys are restored first, as the manual says.
    TestSite.giveKeys(copyFolder, NAME);
  }

  private Replay.Outcome replay() {
    return replay(original.journal(), Until.END, copy, () -> false);
  }

  private Replay.Outcome replay(
      Journal journal, Until until, ObjectStore into, BooleanSupplier stopped) {
    ReplayPlan plan = ReplayPlan.of(journal, NAME, until);
    ObjectSources sources = new ObjectSources(List.of(source), folder, length -> {});
    Replay.Means means =
        new Replay.Means(
            sources, remaker, Replay.Settings.STANDARD.withWindow(2), stopped, progress -> {});
    try (Repository target =
        ReplayTarget.open(
            TestSite.repositories(copyFolder, into),
            NAME,
            Optional.empty(),
            plan,
            Optional.empty(),
            Optional.of(new SnapshotStart(journal, snapshot, plan, means)),
            sources,
            CLOCK)) {
      return new Replay(journal, plan, target, means).run();
    } catch (Replay.Ended early) {
      return early.outcome();
    }
  }

  private Manifest head() {
    return TestSite.head(copyFolder, copy);
  }

  private void requireWholeAt(int revision) {
    original.requireCopied(revision, copyFolder, copy, CheckSettings.Depth.EVERY_OBJECT);
  }

  private boolean has(ContentHash catalog) {
    return copy.head(new ObjectKey(ObjectKind.CATALOG.pathOf(catalog))).isPresent();
  }

  @Test
  void endsOnTheSameRootWithoutTheRevisionsBefore() {
    Replay.Outcome outcome = replay();

    assertThat(outcome).isInstanceOf(Replay.Outcome.Done.class);
    requireWholeAt(LAST);
    assertThat(has(original.event(SNAPSHOT_AT).root())).isTrue();
    assertThat(has(original.event(SNAPSHOT_AT - 1).root())).as("an earlier revision").isFalse();
  }

  @Test
  void namesRevisionsFromTheSnapshotOn() {
    replay();

    ContentHash history = head().history().orElseThrow();
    byte[] stored = copy.read(new ObjectKey(ObjectKind.HISTORY.pathOf(history)), 1 << 20);
    try (History tags = History.open(Decompression.inflate(stored, 1 << 20), NAME)) {
      assertThat(tags.tag(Tag.TRUNK).orElseThrow().snapshot().revision()).isEqualTo(LAST);
      assertThat(tags.tags().stream().map(tag -> tag.snapshot().revision()).distinct())
          .containsExactly(6L, 5L, 4L, 3L);
    }
  }

  @Test
  void needsNoEarlierRecords() {
    Journal late = TestSite.journal(original.entries.subList(SNAPSHOT_AT, LAST));

    assertThat(replay(late, Until.END, copy, () -> false)).isInstanceOf(Replay.Outcome.Done.class);

    requireWholeAt(LAST);
  }

  @Test
  void mayEndAtTheSnapshotItself() {
    replay(original.journal(), Until.parse("3"), copy, () -> false);

    requireWholeAt(SNAPSHOT_AT);
  }

  @Test
  void goesOnAfterItWasKilledAtAnyWrite() {
    int kills = 0;
    while (true) {
      TestSite.Shared mortal = new TestSite.Shared(copy);
      mortal.killAfter(kills);
      try {
        replay(original.journal(), Until.END, mortal, () -> false);
        break;
      } catch (TestSite.Shared.Killed e) {
        kills++;
      }
      assertThat(kills).isLessThan(2_000);
    }

    assertThat(kills).isGreaterThan(5);
    requireWholeAt(LAST);
  }

  @Test
  void goesOnAfterItWasStopped() {
    AtomicInteger asked = new AtomicInteger();

    Replay.Outcome stopped =
        replay(original.journal(), Until.END, copy, () -> asked.incrementAndGet() > 3);

    assertThat(stopped).isInstanceOf(Replay.Outcome.Stopped.class);
    assertThat(replay()).isInstanceOf(Replay.Outcome.Done.class);
    requireWholeAt(LAST);
  }

  @Test
  void doesWithoutWhatLaterRevisionsTakeAwayIfTheJournalSaysAll() {
    source.lost.add(ObjectKind.CATALOG.pathOf(gone.graft().catalog()));

    assertThat(replay()).isInstanceOf(Replay.Outcome.Done.class);

    assertThat(head().rootCatalog()).isEqualTo(original.event(LAST).root());
  }

  @Test
  void showsNothingWhileSomethingThatCountsIsMissingAndGoesOnWhenItIsThere() {
    String lost = ObjectKind.CATALOG.pathOf(original.layer("a").graft().catalog());
    source.lost.add(lost);

    Replay.Outcome incomplete = replay();

    assertThat(incomplete).isInstanceOf(Replay.Outcome.Incomplete.class);
    assertThat(((Replay.Outcome.Incomplete) incomplete).missing())
        .singleElement()
        .satisfies(
            object -> {
              assertThat(object.file()).isEqualTo(lost);
              assertThat(object.below()).isEqualTo(original.layer("a").path());
            });
    assertThatThrownBy(this::head).isInstanceOf(RepositoryException.NotFound.class);
    source.lost.clear();
    assertThat(replay()).isInstanceOf(Replay.Outcome.Done.class);
    requireWholeAt(LAST);
  }

  @Test
  void makesAgainWhatNoSourceHas() {
    String lost = ObjectKind.CATALOG.pathOf(original.layer("a").graft().catalog());
    source.lost.add(lost);
    List<Needed> made = new ArrayList<>();
    remaker =
        (needed, store) -> {
          made.add(needed);
          source.lost.clear();
          return Optional.empty();
        };

    assertThat(replay()).isInstanceOf(Replay.Outcome.Done.class);

    assertThat(made).extracting(Needed::path).containsExactly(original.layer("a").path());
    requireWholeAt(LAST);
  }

  @Test
  void saysWhatToDoWhereItsOwnCatalogsAreGone() {
    source.lost.add(ObjectKind.CATALOG.pathOf(original.event(SNAPSHOT_AT).root()));

    assertThat(((Replay.Outcome.Incomplete) replay()).missing())
        .singleElement()
        .satisfies(
            object ->
                assertThat(object.reason())
                    .contains("take a later snapshot, or replay without one"));
  }

  @Test
  void refusesAJournalThatTellsAnotherHistory() {
    TestSite other = new TestSite(folder.resolve("other"));
    other.publish(
        List.of(List.of(other.layer("x")), List.of(other.layer("y")), List.of(other.layer("z"))));

    assertThatThrownBy(() -> replay(other.journal(), Until.END, copy, () -> false))
        .isInstanceOf(JournalException.Rejected.class)
        .hasMessageContaining("for revision 3")
        .hasMessageContaining("another history; nothing was changed");
    assertThatThrownBy(this::head).isInstanceOf(RepositoryException.NotFound.class);
  }

  @Test
  void refusesWhatDoesNotFitTogether() {
    List<JournalEntry> later = original.entries.subList(SNAPSHOT_AT + 1, LAST);

    assertThatThrownBy(() -> replay(TestSite.journal(later), Until.END, copy, () -> false))
        .isInstanceOf(JournalException.Rejected.class)
        .hasMessageContaining("has revisions 5 to")
        .hasMessageContaining("take one that lies within the journal");
    assertThatThrownBy(() -> replay(original.journal(), Until.parse("2"), copy, () -> false))
        .isInstanceOf(JournalException.Rejected.class)
        .hasMessageContaining("the replay ends with 2: leave the snapshot out");
  }

  @Test
  void changesNothingWhereARepositoryIsAlready() {
    replay(original.journal(), Until.parse("4"), copy, () -> false);

    assertThat(replay()).isInstanceOf(Replay.Outcome.Done.class);

    requireWholeAt(LAST);
  }
}
