package io.lamina.journal.site;

import static io.lamina.journal.replay.TestSite.CLOCK;
import static io.lamina.journal.replay.TestSite.CREATED;
import static io.lamina.journal.replay.TestSite.NAME;
import static io.lamina.journal.replay.TestSite.hex;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.lamina.cvmfs.ContentHash;
import io.lamina.cvmfs.ObjectKind;
import io.lamina.cvmfs.RepositoryName;
import io.lamina.cvmfs.RepositoryPath;
import io.lamina.cvmfs.catalog.CatalogChange;
import io.lamina.cvmfs.catalog.Counters;
import io.lamina.cvmfs.catalog.Graft;
import io.lamina.cvmfs.check.CheckReport;
import io.lamina.cvmfs.check.CheckSettings;
import io.lamina.cvmfs.check.RepositoryCheck;
import io.lamina.cvmfs.reader.ReaderSettings;
import io.lamina.cvmfs.signing.MasterKeys;
import io.lamina.image.policy.NamePattern;
import io.lamina.journal.JournalException;
import io.lamina.journal.replay.ObjectSources;
import io.lamina.journal.replay.TestSite;
import io.lamina.messaging.FailurePolicy.Verdict;
import io.lamina.messaging.Outgoing;
import io.lamina.messaging.PartitionScope;
import io.lamina.messaging.Received;
import io.lamina.messaging.Topic;
import io.lamina.messaging.event.Event;
import io.lamina.messaging.event.Event.TransactionFollowed;
import io.lamina.messaging.event.Event.TransactionPublished;
import io.lamina.messaging.event.RequestId;
import io.lamina.repository.Repositories;
import io.lamina.repository.Repository;
import io.lamina.repository.RepositoryDefinition;
import io.lamina.repository.RepositoryException;
import io.lamina.repository.RepositoryLayout;
import io.lamina.repository.RepositoryView;
import io.lamina.repository.RepositoryWriter;
import io.lamina.storage.InMemoryObjectStore;
import io.lamina.storage.ObjectKey;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

@SuppressWarnings("NullAway.Init")
class SiteFollowerTest {
  private static final RepositoryName HERE = new RepositoryName("here.lamina.example");
  private static final String A = "r.example/team/a:1";
  private static final String B = "r.example/team/b:1";
  private static final String OTHER = "other.example/c:1";

  @TempDir Path folder;
  private Path there;
  private Path here;
  private TestSite original;
  private TestSite.Source source;
  private Clock clock = CLOCK;
  private InMemoryObjectStore store;
  private Repositories repositories;
  private final Kafka kafka = new Kafka();
  private final SimpleMeterRegistry meters = new SimpleMeterRegistry();
  private final SiteMetrics metrics = new SiteMetrics(meters, "geneva", CLOCK);
  private SiteSelection selection = SiteSelection.ALL;

  @BeforeEach
  void createBoth() {
    there = folder.resolve("there");
    here = folder.resolve("here");
    original = new TestSite(there);
    source = new TestSite.Source(original.store);
    store = new InMemoryObjectStore(CLOCK);
    repositories = TestSite.repositories(here, store);
    TestSite.giveKeys(here, HERE);
    repositories
        .create(
            RepositoryDefinition.inDataFolder(HERE, RepositoryDefinition.Settings.DEFAULT, CREATED),
            new SecureRandom(),
            CLOCK)
        .close();
  }

  // ---- everything ---------------------------------------------------------------------------

  @Test
  void showsWhatTheOtherSiteShowsUnderItsOwnSignature() {
    original.publish(
        List.of(
            original.image(A, "x", "y"),
            original.image(B, "y", "z"),
            List.of(new CatalogChange.Remove(RepositoryPath.of("/" + A)))));

    followAll();

    requireWhole();
    assertThat(shows("/" + A)).isFalse();
    assertThat(shows("/" + B)).isTrue();
    for (String layer : List.of("x", "y", "z")) {
      assertThat(graft(RepositoryLayout.layer(hex(layer))))
          .isEqualTo(original.layer(layer).graft().catalog());
      assertThat(shows(RepositoryLayout.layerDiffId(hex(layer)).toString())).isTrue();
    }
    assertThat(kafka.letters).isEmpty();
    assertThat(kafka.done).containsExactly(0L, 1L, 2L);
  }

  @Test
  void publishesNothingAgainThatIsThere() {
    original.publish(List.of(original.image(A, "x")));
    followAll();
    long revision = revision();

    kafka.done.clear();
    followAll();

    assertThat(revision()).isEqualTo(revision);
    assertThat(source.opened.stream().filter(path -> path.endsWith("C")).distinct()).hasSize(3);
  }

  @Test
  void keepsImagesThatTheOtherSiteRemovesIfAsked() {
    selection = new SiteSelection(List.of(), Optional.empty(), false);
    original.publish(
        List.of(
            original.image(A, "x"),
            List.of(
                new CatalogChange.Remove(RepositoryPath.of("/" + A)),
                new CatalogChange.Remove(RepositoryPath.of("/.metadata/" + A)))));

    followAll();

    assertThat(shows("/" + A)).isTrue();
    requireWhole();
  }

  @Test
  void goesOnWhereItWasWhenItWasKilled() {
    original.publish(List.of(original.image(A, "x", "y"), original.image(B, "z")));
    TestSite.Shared mortal = new TestSite.Shared(store);
    for (int writes = 0; writes < 40; writes += 3) {
      mortal.killAfter(writes);
      try (SiteFollower follower = follower(new Repositories(here, location -> mortal))) {
        follower.handle(kafka.rest());
      } catch (TestSite.Shared.Killed e) {
        // the next one goes on
      }
    }
    assertThat(kafka.done).containsExactly(0L, 1L);

    publish();
    requireWhole();
  }

  // ---- selection ----------------------------------------------------------------------------

  @Test
  void takesSelectedImagesWithLayersThatCameBeforeThem() {
    selection = images("r.example/team/b");
    original.publish(
        List.of(
            original.image(A, "x", "y"),
            join(List.of(original.layer("z"), original.flat(B)), original.names(B, "y", "z"))));

    followAll();

    requireWhole();
    assertThat(shows("/" + A)).isFalse();
    assertThat(shows("/" + B)).isTrue();
    assertThat(graft(RepositoryLayout.layer(hex("y"))))
        .isEqualTo(original.layer("y").graft().catalog());
    assertThat(shows(RepositoryLayout.layerDiffId(hex("y")).toString())).isTrue();
    assertThat(shows(RepositoryLayout.layer(hex("x")).toString())).isFalse();
    assertThat(store.head(objectKey(original.layer("x")))).as("not even copied").isEmpty();
    assertThat(kafka.followed()).hasSize(2);
  }

  @Test
  void completesAnImageOfWhichATransactionSaysOnlyWhatChanged() {
    original.publish(
        List.of(
            original.image(A, "x", "y"),
            List.of(original.file("/.metadata/" + A + "/config.json", "{\"new\":true}"))));
    selection = images("r.example");
    original.entries.removeFirst();

    followAll();

    requireWhole();
    assertThat(shows("/" + A)).isTrue();
    assertThat(shows("/.metadata/" + A + "/manifest.json")).isTrue();
    assertThat(graft(RepositoryLayout.flat(hex(A)))).isEqualTo(original.flat(A).graft().catalog());
  }

  @Test
  void leavesImagesOutThatAreTooLarge() {
    selection = new SiteSelection(List.of(), Optional.of(2_000L), true);
    original.publish(
        List.of(
            original.image(A, "x", "y", "z"),
            original.image(B, "y", "z", "y"),
            List.of(original.layer("committed"))));

    followAll();

    requireWhole();
    assertThat(shows("/" + A)).isFalse();
    assertThat(shows("/" + B)).isTrue();
    assertThat(shows(RepositoryLayout.layer(hex("committed")).toString())).isFalse();
    assertThat(meters.get("site.images.unselected").counter().count()).isEqualTo(1);
  }

  @Test
  void asksTheSignedRevisionWhenTheOldOneIsCollected() {
    selection = images("r.example/team/b");
    original.publish(
        List.of(
            original.image(A, "x", "y"),
            join(List.of(original.flat(B)), original.names(B, "y")),
            original.image(OTHER, "x")));
    source.lost.add(ObjectKind.CATALOG.pathOf(original.event(2).root()));

    followAll();

    assertThat(kafka.letters).isEmpty();
    requireWhole();
    assertThat(shows("/" + B)).isTrue();
  }

  // ---- what the other site does not have ----------------------------------------------------

  @Test
  void setsATransactionAsideAndShowsTheRestOfItWhenATreeIsLost() {
    original.publish(
        List.of(join(original.image(A, "x"), original.image(B, "z")), original.image(OTHER, "y")));
    String file = objectOf(original.layer("x"));
    source.lost.add(file);

    followAll();

    assertThat(kafka.letters.keySet()).containsExactly(0L);
    assertThat(kafka.letters.get(0L))
        .isInstanceOf(JournalException.Corrupt.class)
        .hasMessageContaining(RepositoryLayout.layer(hex("x")).toString());
    assertThat(kafka.done).containsExactly(1L);
    requireWhole();
    assertThat(shows("/" + A)).isFalse();
    assertThat(shows("/.metadata/" + A)).isFalse();
    assertThat(shows("/" + B)).isTrue();
    assertThat(shows("/" + OTHER)).isTrue();
  }

  @Test
  void leavesOutWhatTheOtherSiteHasRemovedAndCollectedSince() {
    original.publish(
        List.of(
            original.image(A, "x"),
            original.image(B, "z"),
            List.of(
                new CatalogChange.Remove(RepositoryPath.of("/" + A)),
                new CatalogChange.Remove(RepositoryPath.of("/.metadata/" + A)),
                new CatalogChange.Remove(RepositoryLayout.layerFolder(hex("x"))),
                new CatalogChange.Remove(RepositoryLayout.flat(hex(A))))));
    source.lost.add(objectOf(original.layer("x")));

    followAll();

    assertThat(kafka.letters).isEmpty();
    assertThat(kafka.done).containsExactly(0L, 1L, 2L);
    requireWhole();
    assertThat(shows("/" + A)).isFalse();
    assertThat(shows("/" + B)).isTrue();
  }

  @Test
  void waitsForASiteThatIsOutOfReachAndStaysWhereItIs() {
    original.publish(List.of(original.image(A, "x")));
    source.failures = 1_000;

    try (SiteFollower follower = follower(repositories)) {
      assertThatThrownBy(() -> follower.handle(kafka.rest()))
          .isInstanceOf(JournalException.Retryable.class)
          .satisfies(e -> assertThat(SiteProcess.policy().judge(e)).isEqualTo(Verdict.WAIT));
    }
    assertThat(kafka.done).isEmpty();
    assertThat(meters.get("site.source.reachable").gauge().value()).isZero();

    source.failures = 0;
    followAll();
    requireWhole();
    assertThat(shows("/" + A)).isTrue();
    assertThat(meters.get("site.source.reachable").gauge().value()).isEqualTo(1);
  }

  // ---- what the other site should not say ---------------------------------------------------

  @Test
  void takesNothingThatIsNotAsItsNameSays() {
    original.publish(List.of(original.image(A, "x")));
    source.damaged.add(objectOf(original.layer("x")));

    followAll();

    assertThat(kafka.letters.get(0L)).hasMessageContaining("damaged");
    requireWhole();
    assertThat(shows("/" + A)).isFalse();
  }

  @Test
  void believesNoCountersThatTheCatalogDoesNotHave() {
    original.publish(List.of(original.image(A, "x")));
    Graft truth = original.layer("x").graft();
    Graft lie =
        new Graft(
            truth.path(),
            truth.catalog(),
            truth.catalogSizeBytes(),
            truth.root(),
            truth.total().plus(new Counters(1, 0, 0, 0, 0, 0, 0, 1L << 60, 0, 0, 0, 0)));
    say(List.of(new CatalogChange.Attach(lie)));

    followAll();

    assertThat(kafka.letters.get(1L)).hasMessageContaining("counts");
  }

  @Test
  void hangsNoTreeInWhereAnotherBelongs() {
    original.publish(List.of(original.image(A, "x")));
    Graft other = original.layer("x").graft();
    say(
        List.of(
            new CatalogChange.Attach(
                new Graft(
                    RepositoryLayout.layer(hex("victim")),
                    other.catalog(),
                    other.catalogSizeBytes(),
                    other.root(),
                    other.total()))));

    followAll();

    assertThat(kafka.letters.get(1L)).hasMessageContaining("was made for");
    assertThat(shows(RepositoryLayout.layer(hex("victim")).toString())).isFalse();
  }

  @Test
  void reachesNothingOutsideOfImages() {
    original.publish(List.of(original.image(A, "x")));
    say(
        List.of(
            new CatalogChange.Remove(RepositoryPath.ROOT),
            new CatalogChange.Remove(RepositoryPath.of("/.layers")),
            TestSite.link("/bin", "/etc"),
            TestSite.link("/" + B, "../../../../../etc")));

    followAll();

    assertThat(kafka.letters.get(1L)).hasMessageContaining("4 changes");
    requireWhole();
    assertThat(shows("/" + A)).isTrue();
    assertThat(shows("/bin")).isFalse();
  }

  @Test
  void setsAsideWhatIsNoJournal() {
    kafka.records.add(new Event.CancelRequested(new RequestId("r"), HERE));
    kafka.records.add(
        new TransactionPublished(
            new RepositoryName("unknown.example"),
            1,
            1,
            hash(),
            hash(),
            1,
            List.of(new CatalogChange.Remove(RepositoryPath.ROOT)),
            List.of()));

    followAll();

    assertThat(kafka.letters.keySet()).containsExactly(0L);
    assertThat(kafka.followed()).isEmpty();
    assertThat(kafka.done).containsExactly(1L);
  }

  @Test
  void storesOldObjectsAgainBeforeItReliesOnThem() {
    original.publish(List.of(original.image(A, "x")));
    followAll();
    List<String> before = List.copyOf(source.opened);
    clock = Clock.fixed(CREATED.plus(Duration.ofDays(9)), ZoneOffset.UTC);
    source.opened.clear();
    original.publish(List.of(List.of(new CatalogChange.Remove(RepositoryPath.of("/" + A)))));
    Graft again =
        new Graft(
            RepositoryLayout.layer(hex("x")),
            original.layer("x").graft().catalog(),
            original.layer("x").graft().catalogSizeBytes(),
            original.layer("x").graft().root(),
            original.layer("x").graft().total());
    try (Repository repository = repositories.open(HERE);
        RepositoryWriter writer = repository.writer()) {
      writer.commit(
          List.of(new CatalogChange.Remove(RepositoryLayout.layerFolder(hex("x")))),
          CREATED.getEpochSecond() + 500,
          about -> new byte[0]);
    }
    say(List.of(new CatalogChange.Attach(again)));

    followAll();

    assertThat(before).contains(objectOf(original.layer("x")));
    assertThat(source.opened).as("fetched again").contains(objectOf(original.layer("x")));
    assertThat(store.head(objectKey(original.layer("x")))).isPresent();
    requireWhole();
  }

  // ---- the world around the follower --------------------------------------------------------

  private static SiteSelection images(String patterns) {
    return new SiteSelection(NamePattern.parse(patterns), Optional.empty(), true);
  }

  private static ContentHash hash() {
    return ContentHash.parse("0123456789abcdef0123456789abcdef01234567");
  }

  private static List<CatalogChange> join(
      List<? extends CatalogChange> first, List<? extends CatalogChange> second) {
    List<CatalogChange> all = new ArrayList<>(first);
    all.addAll(second);
    return all;
  }

  private static String objectOf(CatalogChange.Attach attach) {
    return ObjectKind.CATALOG.pathOf(attach.graft().catalog());
  }

  private static ObjectKey objectKey(CatalogChange.Attach attach) {
    return new ObjectKey(objectOf(attach));
  }

  /** Something that the other site's journal says beyond what it publishes. */
  private void say(List<CatalogChange> changes) {
    TransactionPublished last = original.entries.getLast().event();
    kafka.lies.add(
        new TransactionPublished(
            NAME,
            last.revision() + 1,
            last.timestampSeconds() + 1,
            last.root(),
            hash(),
            1,
            changes,
            List.of()));
  }

  private SiteFollower follower(Repositories into) {
    SiteSettings settings =
        new SiteSettings("geneva", "A.lamina.published", 1, Map.of(NAME, HERE), selection, 4);
    ReaderSettings keys =
        ReaderSettings.of(
            NAME,
            Files.exists(there.resolve("keys/" + NAME + ".pub"))
                ? MasterKeys.load(there.resolve("keys/" + NAME + ".pub"))
                : MasterKeys.load(here.resolve("keys/" + HERE + ".pub")),
            CLOCK);
    return new SiteFollower(
        kafka,
        settings,
        (from, to, scope) ->
            new FollowedRepository(
                new SiteProcess.Source(
                    new ObjectSources(List.of(source), folder, length -> {}),
                    source,
                    Optional.of(keys)),
                into.open(to),
                settings,
                metrics,
                clock,
                () -> false),
        metrics);
  }

  private void followAll() {
    try (SiteFollower follower = follower(repositories)) {
      follower.handle(kafka.rest());
    }
    publish();
  }

  /** What the publisher of this site does with it. */
  private void publish() {
    try (Repository repository = repositories.open(HERE);
        RepositoryWriter writer = repository.writer()) {
      for (TransactionFollowed event : kafka.followed()) {
        if (!event.changes().isEmpty()) {
          writer.commit(event.changes(), event.timestampSeconds(), about -> new byte[0]);
        }
      }
    }
  }

  private long revision() {
    try (Repository repository = repositories.open(HERE)) {
      return repository.manifest().manifest().revision();
    }
  }

  private boolean shows(String path) {
    try (Repository repository = repositories.open(HERE);
        RepositoryView view = repository.view()) {
      return view.lookup(RepositoryPath.of(path)).isPresent();
    }
  }

  private ContentHash graft(RepositoryPath path) {
    try (Repository repository = repositories.open(HERE);
        RepositoryView view = repository.view()) {
      return view.catalogAt(path).orElseThrow(() -> new AssertionError("nothing at " + path));
    } catch (RepositoryException e) {
      throw new AssertionError(e);
    }
  }

  private void requireWhole() {
    CheckReport report =
        new RepositoryCheck(
                new TestSite.Source(store),
                CheckSettings.everyObject(
                    ReaderSettings.of(
                        HERE, MasterKeys.load(here.resolve("keys/" + HERE + ".pub")), CLOCK)),
                counts -> {})
            .run();
    assertThat(report.problems()).isEmpty();
  }

  /** The copy of the other site's journal, and what is said here. */
  private final class Kafka implements PartitionScope {
    final List<Event> records = new ArrayList<>();
    final List<Event> lies = new ArrayList<>();
    final List<Long> done = new ArrayList<>();
    final Map<Long, Throwable> letters = new LinkedHashMap<>();
    private final List<Outgoing> said = new ArrayList<>();

    /** What is not done, from the first. */
    List<Received> rest() {
      List<Event> all = new ArrayList<>(records);
      original.entries.forEach(entry -> all.add(entry.event()));
      all.addAll(lies);
      List<Received> rest = new ArrayList<>();
      for (int offset = 0; offset < all.size(); offset++) {
        if (!done.contains((long) offset) && !letters.containsKey((long) offset)) {
          rest.add(
              new Received(
                  new Received.Position("A.lamina.published", 0, offset),
                  "key",
                  Optional.of(all.get(offset)),
                  Optional.empty(),
                  Instant.EPOCH));
        }
      }
      return rest;
    }

    List<TransactionFollowed> followed() {
      return said.stream().map(out -> (TransactionFollowed) out.event().orElseThrow()).toList();
    }

    @Override
    public int partition() {
      return 0;
    }

    @Override
    public void commit(List<Outgoing> events) {
      throw new AssertionError("marks more as done than it has handled");
    }

    @Override
    public void commit(List<Outgoing> events, Collection<Received.Position> positions) {
      said.addAll(events);
      positions.forEach(position -> done.add(position.offset()));
    }

    @Override
    public void confirmOwnership() {}

    @Override
    public void setAside(Received record, Throwable cause) {
      letters.put(record.position().offset(), cause);
    }

    @Override
    public Map<String, Received> restore(Topic topic) {
      return Map.of();
    }

    @Override
    public boolean isStopping() {
      return false;
    }
  }
}
