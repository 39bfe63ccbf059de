package io.lamina.journal.replay;

import static io.lamina.journal.replay.TestSite.CLOCK;
import static io.lamina.journal.replay.TestSite.CREATED;
import static io.lamina.journal.replay.TestSite.NAME;
import static io.lamina.journal.replay.TestSite.link;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.lamina.cvmfs.ContentHash;
import io.lamina.cvmfs.HashAlgorithm;
import io.lamina.cvmfs.ObjectKind;
import io.lamina.cvmfs.catalog.CatalogChange;
import io.lamina.cvmfs.check.CheckSettings;
import io.lamina.cvmfs.history.Reflog;
import io.lamina.cvmfs.reader.RepositoryFiles;
import io.lamina.cvmfs.signing.Manifest;
import io.lamina.journal.Journal;
import io.lamina.journal.JournalEntry;
import io.lamina.journal.JournalException;
import io.lamina.messaging.event.Event.TransactionPublished;
import io.lamina.repository.Repositories;
import io.lamina.repository.Repository;
import io.lamina.repository.RepositoryWriter;
import io.lamina.storage.InMemoryObjectStore;
import io.lamina.storage.ObjectKey;
import io.lamina.storage.ObjectStore;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.BooleanSupplier;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

@SuppressWarnings("NullAway.Init")
class ReplayTest {
  private static final Replay.Settings SMALL_WINDOWS = Replay.Settings.STANDARD.withWindow(2);

  @TempDir Path folder;
  private Path originalFolder;
  private Path copyFolder;
  private TestSite original;
  private TestSite.Source source;
  private final InMemoryObjectStore copy = new InMemoryObjectStore(CLOCK);

  @BeforeEach
  void publish() {
    originalFolder = folder.resolve("original");
    copyFolder = folder.resolve("copy");
    original = new TestSite(originalFolder);
    CatalogChange.Attach gone = original.layer("gone");
    original.publish(
        List.of(
            List.of(original.layer("a"), original.layer("b")),
            List.of(original.file("/.metadata/r.example/i:1/manifest.json", "{1}")),
            List.of(gone, link("/r.example/i:1", "../.flat/1")),
            List.of(original.layer("c"), link("/r.example/i:1", "../.flat/2")),
            List.of(new CatalogChange.Remove(gone.path())),
            List.of(original.file("/.metadata/r.example/i:1/manifest.json", "{2}")),
            List.of(original.layer("d"))));
    source = new TestSite.Source(original.store);
  }

  private Replay.Outcome replay(Until until, ObjectStore into) {
    return replay(original.journal(), until, into, SMALL_WINDOWS, () -> false, List.of(source));
  }

  private Replay.Outcome replay() {
    return replay(Until.END, copy);
  }

  private Replay.Outcome replay(
      Journal journal,
      Until until,
      ObjectStore into,
      Replay.Settings settings,
      BooleanSupplier stopped,
      List<RepositoryFiles> from) {
    ReplayPlan plan = ReplayPlan.of(journal, NAME, until);
    ObjectSources sources = new ObjectSources(from, folder, length -> {});
    try (Repository target =
        ReplayTarget.open(
            TestSite.repositories(copyFolder, into),
            NAME,
            Optional.empty(),
            plan,
            Optional.empty(),
            Optional.empty(),
            sources,
            CLOCK)) {
      return new Replay(
              journal,
              plan,
              target,
              new Replay.Means(sources, Remaker.NONE, settings, stopped, progress -> {}))
          .run();
    }
  }

  private Manifest head() {
    return TestSite.head(copyFolder, copy);
  }

  private void requireWholeAt(int revision) {
    original.requireCopied(revision, copyFolder, copy, CheckSettings.Depth.PRESENCE);
  }

  private void requireReflogOfAllUpTo(int revision) {
    byte[] file = copy.readMutable(new ObjectKey(".cvmfsreflog"), 1 << 20).orElseThrow().bytes();
    assertThat(head().reflog()).contains(Reflog.hashOf(file, HashAlgorithm.SHA1));
    try (Reflog reflog = Reflog.open(file, NAME)) {
      for (int i = 1; i <= revision; i++) {
        assertThat(reflog.contains(Reflog.Kind.CATALOG, original.event(i).root()))
            .as("revision %d", i)
            .isTrue();
      }
    }
  }

  private static String fileOf(ObjectKind kind, ContentHash hash) {
    return kind.pathOf(hash);
  }

  private ContentHash treeIn(int revision) {
    return original.event(revision).changes().stream()
        .filter(CatalogChange.Attach.class::isInstance)
        .map(change -> ((CatalogChange.Attach) change).graft().catalog())
        .findFirst()
        .orElseThrow();
  }

  @Test
  void endsOnTheSameRootWithOtherKeysAndAllObjects() {
    Replay.Outcome outcome = replay();

    assertThat(outcome).isInstanceOf(Replay.Outcome.Done.class);
    assertThat(outcome.progress().revision()).isEqualTo(7);
    assertThat(outcome.progress().objectsMissing()).isZero();
    requireWholeAt(7);
    requireReflogOfAllUpTo(7);
    List<String> records = new ArrayList<>();
    copy.list("lamina/transactions/", stat -> records.add(stat.key().value()));
    assertThat(records).as("records of what the journal says already").isEmpty();
  }

  @Test
  void copiesNothingTwice() {
    replay();
    source.opened.clear();

    Replay.Outcome again = replay();

    assertThat(again).isInstanceOf(Replay.Outcome.Done.class);
    assertThat(source.opened).isEmpty();
  }

  @Test
  void goesNoFurtherThanItIsTold() {
    assertThat(replay(Until.parse("3"), copy).progress().revision()).isEqualTo(3);
    requireWholeAt(3);

    Instant fifth = original.entries.get(4).writtenAt();
    replay(Until.parse(fifth.toString()), copy);
    requireWholeAt(5);

    replay();
    requireWholeAt(7);
    assertThatThrownBy(() -> replay(Until.parse("3"), copy))
        .isInstanceOf(JournalException.Rejected.class)
        .hasMessageContaining("at revision 7 already");
    assertThatThrownBy(() -> Until.parse("yesterday"))
        .isInstanceOf(JournalException.Rejected.class)
        .hasMessageContaining("neither a revision nor a time");
  }

  @Test
  void goesOnAfterItWasKilledAtAnyWrite() {
    int kills = 0;
    for (int writes = 0; head0() < 7; writes = 3 + kills % 17) {
      TestSite.Shared mortal = new TestSite.Shared(copy);
      mortal.killAfter(kills == 0 ? Integer.MAX_VALUE : writes);
      if (kills == 0) {
        // The repository's creation is not what is tried here.
        replay(Until.parse("1"), mortal);
      } else {
        try {
          replay(Until.END, mortal);
        } catch (TestSite.Shared.Killed e) {
          // As planned.
        }
      }
      kills++;
      assertThat(kills).isLessThan(2_000);
    }

    assertThat(kills).isGreaterThan(5);
    replay();
    requireWholeAt(7);
    requireReflogOfAllUpTo(7);
  }

  private long head0() {
    return TestSite.repositories(copyFolder, copy).definition(NAME).isPresent()
        ? head().revision()
        : 0;
  }

  @Test
  void stopsBetweenTransactionsAndGoesOn() {
    AtomicInteger asked = new AtomicInteger();
    Replay.Outcome outcome = new Replay.Outcome.Stopped(new Replay.Progress(0, 0, 0, 0, 0, 0));
    int runs = 0;
    while (outcome instanceof Replay.Outcome.Stopped) {
      asked.set(0);
      int patience = 4 + 6 * runs++;
      outcome =
          replay(
              original.journal(),
              Until.END,
              copy,
              SMALL_WINDOWS,
              () -> asked.incrementAndGet() > patience,
              List.of(source));
      assertThat(runs).isLessThan(200);
    }

    assertThat(outcome).isInstanceOf(Replay.Outcome.Done.class);
    assertThat(runs).isGreaterThan(1);
    requireWholeAt(7);
  }

  @Test
  void listsWhatIsMissingEverywhereAndGoesOnWhenItIsBack() {
    String tree = fileOf(ObjectKind.CATALOG, treeIn(4));
    String file =
        fileOf(
            ObjectKind.FILE,
            ((CatalogChange.PutFile) lastOf(original.event(6), CatalogChange.PutFile.class))
                .object());
    source.lost.addAll(List.of(tree, file));

    Replay.Outcome outcome = replay();

    assertThat(outcome).isInstanceOf(Replay.Outcome.Incomplete.class);
    assertThat(((Replay.Outcome.Incomplete) outcome).missing())
        .extracting(MissingObject::file)
        .containsExactlyInAnyOrder(tree, file);
    assertThat(((Replay.Outcome.Incomplete) outcome).missing())
        .extracting(MissingObject::reason)
        .containsOnly("not in the old storage");
    requireWholeAt(2);

    source.lost.clear();
    assertThat(replay()).isInstanceOf(Replay.Outcome.Done.class);
    requireWholeAt(7);
  }

  @Test
  void doesNotNeedWhatOnlyEarlierRevisionsShow() {
    String gone = fileOf(ObjectKind.CATALOG, treeIn(3));
    source.lost.add(gone);

    Replay.Outcome outcome = replay();

    assertThat(outcome).isInstanceOf(Replay.Outcome.Done.class);
    assertThat(((Replay.Outcome.Done) outcome).unshown())
        .extracting(MissingObject::file)
        .containsExactly(gone);
    requireWholeAt(7);
  }

  @Test
  void takesFromTheNextSourceWhatIsDamagedInTheFirst() {
    TestSite.Source damaged = new TestSite.Source(original.store);
    original.store.list("data/", stat -> damaged.damaged.add(stat.key().value()));

    Replay.Outcome outcome =
        replay(
            original.journal(),
            Until.END,
            copy,
            SMALL_WINDOWS,
            () -> false,
            List.of(damaged, source));

    assertThat(outcome).isInstanceOf(Replay.Outcome.Done.class);
    requireWholeAt(7);
  }

  @Test
  void believesNoDamagedObject() {
    original.store.list("data/", stat -> source.damaged.add(stat.key().value()));

    Replay.Outcome outcome = replay();

    assertThat(outcome).isInstanceOf(Replay.Outcome.Incomplete.class);
    assertThat(((Replay.Outcome.Incomplete) outcome).missing())
        .extracting(MissingObject::reason)
        .containsOnly("damaged in the old storage");
    assertThat(head().revision()).isZero();
  }

  @Test
  void waitsForASourceThatFailsForAWhile() {
    source.failures = 4;
    assertThat(replay()).isInstanceOf(Replay.Outcome.Done.class);

    requireWholeAt(7);
  }

  @Test
  void doesNotTakeASourceOutOfReachForOneThatHasNothing() {
    source.failures = Integer.MAX_VALUE;

    assertThatThrownBy(this::replay)
        .isInstanceOf(JournalException.Retryable.class)
        .hasMessageContaining("no answer");
  }

  @Test
  void saysWhereATransactionComesToAnotherRoot() {
    List<JournalEntry> entries = new ArrayList<>(original.entries);
    TransactionPublished fourth = original.event(4);
    entries.set(
        3,
        TestSite.entry(
            new TransactionPublished(
                NAME,
                4,
                fourth.timestampSeconds(),
                fourth.previousRoot(),
                fourth.previousRoot(),
                fourth.rootSizeBytes(),
                fourth.changes(),
                List.of())));

    assertThatThrownBy(
            () ->
                replay(
                    TestSite.journal(entries),
                    Until.END,
                    copy,
                    SMALL_WINDOWS,
                    () -> false,
                    List.of(source)))
        .isInstanceOf(JournalException.Rejected.class)
        .hasMessageContaining("revision 4 of " + NAME + " comes to root " + fourth.root())
        .hasMessageContaining("the journal says " + fourth.previousRoot());
    requireWholeAt(3);
  }

  @Test
  void refusesWhatSomebodyElsePublished() {
    replay(Until.parse("3"), copy);
    try (Repository repository = TestSite.repositories(copyFolder, copy).open(NAME);
        RepositoryWriter writer = repository.writer()) {
      writer.commit(
          List.of(link("/r.example/other:1", "x")),
          CREATED.getEpochSecond() + 10_000,
          about -> new byte[0]);
    }

    assertThatThrownBy(this::replay)
        .isInstanceOf(JournalException.Rejected.class)
        .hasMessageContaining("another repository");
    assertThat(head().revision()).isEqualTo(4);
  }

  @Test
  void makesTheRepositoryOnlyIfItBeginsOnTheSameRoot() {
    ReplayPlan plan = ReplayPlan.of(original.journal(), NAME, Until.END);
    Repositories repositories = TestSite.repositories(copyFolder, copy);
    ObjectSources sources = new ObjectSources(List.of(), folder, length -> {});

    assertThatThrownBy(
            () ->
                ReplayTarget.open(
                    repositories,
                    NAME,
                    Optional.empty(),
                    plan,
                    Optional.of(ReplayTarget.usual(CREATED.plusSeconds(1), 240)),
                    Optional.empty(),
                    sources,
                    CLOCK))
        .isInstanceOf(JournalException.Rejected.class)
        .hasMessageContaining("nothing was made");
    assertThat(repositories.definition(NAME)).isEmpty();
    assertThat(copyFolder.resolve("keys")).doesNotExist();
  }

  @Test
  void findsTheTimeOfCreationInTheFirstRootCatalogOfOldJournals() {
    List<JournalEntry> entries = new ArrayList<>(original.entries);
    TransactionPublished first = original.event(1);
    entries.set(
        0,
        TestSite.entry(
            new TransactionPublished(
                NAME,
                1,
                first.timestampSeconds(),
                first.previousRoot(),
                first.root(),
                first.rootSizeBytes(),
                first.changes(),
                List.of())));
    Journal old = TestSite.journal(entries);

    assertThatThrownBy(() -> replay(old, Until.END, copy, SMALL_WINDOWS, () -> false, List.of()))
        .isInstanceOf(JournalException.Rejected.class)
        .hasMessageContaining("give the time of creation");
    replay(old, Until.END, copy, SMALL_WINDOWS, () -> false, List.of(source));

    requireWholeAt(7);
  }

  @Test
  void saysThatNothingIsToBeReplayed() {
    assertThatThrownBy(() -> ReplayPlan.of(original.journal(), NAME, Until.parse("0")))
        .isInstanceOf(JournalException.NotFound.class)
        .hasMessageContaining("no transaction of " + NAME + " up to there");
  }

  @Test
  void restoresALostManifestAndCopiesOnlyWhatIsMissing() {
    CatalogChange.Attach tree =
        (CatalogChange.Attach) lastOf(original.event(7), CatalogChange.Attach.class);
    String catalog = fileOf(ObjectKind.CATALOG, tree.graft().catalog());
    replay();
    // A tree whose catalog is not there is looked at again: as if it had been stopped half-way.
    copy.delete(new ObjectKey(catalog));
    source.opened.clear();
    copyAgainFromRevision(6);

    assertThat(source.opened).contains(catalog).hasSizeLessThan(3);
  }

  /** The manifest is lost; the definition and the keys are there. */
  private void copyAgainFromRevision(int revision) {
    copy.delete(new ObjectKey(".cvmfspublished"));
    replay(Until.parse(Integer.toString(revision)), copy);
    replay();
    requireWholeAt(7);
  }

  private static CatalogChange lastOf(
      TransactionPublished event, Class<? extends CatalogChange> kind) {
    return event.changes().stream().filter(kind::isInstance).reduce((a, b) -> b).orElseThrow();
  }
}
