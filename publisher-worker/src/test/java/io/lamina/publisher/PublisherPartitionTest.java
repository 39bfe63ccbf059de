package io.lamina.publisher;

import static io.lamina.publisher.TestEvents.NOW;
import static io.lamina.publisher.TestEvents.REPOSITORY;
import static io.lamina.publisher.TestEvents.plan;
import static io.lamina.publisher.TestEvents.platform;
import static io.lamina.publisher.TestEvents.upload;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.lamina.cvmfs.ContentHash;
import io.lamina.cvmfs.RepositoryName;
import io.lamina.cvmfs.RepositoryPath;
import io.lamina.cvmfs.catalog.CatalogChange;
import io.lamina.cvmfs.compression.ObjectCompressor;
import io.lamina.cvmfs.signing.Manifest;
import io.lamina.cvmfs.signing.RepositoryKeys;
import io.lamina.messaging.MessagingException;
import io.lamina.messaging.Outgoing;
import io.lamina.messaging.PartitionScope;
import io.lamina.messaging.Received;
import io.lamina.messaging.Topic;
import io.lamina.messaging.event.Event;
import io.lamina.messaging.event.Event.RequestStatus.State;
import io.lamina.messaging.event.Event.TransactionPublished;
import io.lamina.messaging.event.PlannedPlatform;
import io.lamina.messaging.event.RequestId;
import io.lamina.messaging.event.SiteOrigin;
import io.lamina.messaging.event.StoredFile;
import io.lamina.messaging.event.WorkKey;
import io.lamina.repository.CatalogCompression;
import io.lamina.repository.Committed;
import io.lamina.repository.ObjectUploads;
import io.lamina.repository.PublisherBackend;
import io.lamina.repository.Repositories;
import io.lamina.repository.Repository;
import io.lamina.repository.RepositoryDefinition;
import io.lamina.repository.RepositoryException;
import io.lamina.repository.RepositoryView;
import io.lamina.repository.RepositoryWriter;
import io.lamina.repository.collection.CollectionRoots;
import io.lamina.storage.Content;
import io.lamina.storage.InMemoryObjectStore;
import io.lamina.storage.ObjectKey;
import io.lamina.storage.ObjectStore;
import io.lamina.storage.UploadArea;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.time.Clock;
import java.time.ZoneOffset;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Deque;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** The publisher on a real repository in memory and a pretended Kafka, killed at every moment. */
class PublisherPartitionTest {
  private static final Clock CLOCK = Clock.fixed(NOW, ZoneOffset.UTC);
  private static @Nullable RepositoryKeys keys;

  @TempDir Path folder;
  private Path data = Path.of(".");
  private ObjectStore lasting = new InMemoryObjectStore(CLOCK);
  private MortalStore store = new MortalStore(lasting);
  private Kafka kafka = new Kafka();
  private Clock clock = CLOCK;
  private Repositories repositories = new Repositories(Path.of("."), location -> store);

  private boolean collectorIsDead;
  private int collections;
  private final List<AutoCloseable> leftByOwners = new ArrayList<>();

  @SuppressWarnings("NullAway.Init") // before each test
  private PublisherPartition partition;

  @BeforeAll
  static void makeKeys() {
    keys = RepositoryKeys.generate(REPOSITORY, new SecureRandom(), CLOCK);
  }

  @BeforeEach
  void createRepository() throws java.io.IOException {
    data = java.nio.file.Files.createTempDirectory(folder, "data");
    lasting = new InMemoryObjectStore(CLOCK);
    store = new MortalStore(lasting);
    kafka = new Kafka();
    if (keys != null) {
      keys.save(data.resolve("keys"));
    }
    repositories = new Repositories(data, location -> store);
    repositories
        .create(
            RepositoryDefinition.inDataFolder(
                REPOSITORY, RepositoryDefinition.Settings.DEFAULT, NOW),
            new SecureRandom(),
            CLOCK)
        .close();
    partition = open();
  }

  /** A process that dies takes its threads with it. */
  @AfterEach
  void endWhatDeadOwnersLeft() throws Exception {
    for (AutoCloseable left : leftByOwners.reversed()) {
      left.close();
    }
    leftByOwners.clear();
  }

  @Test
  void publishesAnImageAndSaysSo() {
    kafka.say(plan("a", "r.example/a:1", platform("linux/amd64", "a", "x", "y")));
    runToTheEnd();

    assertThat(kafka.status("a").state()).isEqualTo(State.DONE);
    assertThat(kafka.status("a").revision()).contains(1L);
    List<TransactionPublished> journal = kafka.journal();
    assertThat(journal).extracting(TransactionPublished::revision).containsExactly(1L);
    assertThat(journal.getLast().requests()).containsExactly(new RequestId("a"));
    try (Repository repository = repositories.open(REPOSITORY);
        RepositoryView view = repository.view()) {
      assertThat(view.lookup(RepositoryPath.of("/r.example/a:1"))).isPresent();
      assertThat(view.lookup(RepositoryPath.of("/.metadata/r.example/a:1/thin.json"))).isPresent();
    }
    assertThat(kafka.notes.keySet()).containsExactly(REPOSITORY + "/journal");
    List<String> records = new ArrayList<>();
    lasting.list("lamina/", stat -> records.add(stat.key().value()));
    assertThat(records).as("records of transactions that are in the journal").isEmpty();
  }

  @Test
  void failsRequestsForRepositoriesThatDoNotExist() {
    RepositoryName other = new RepositoryName("missing.example");
    kafka.say(new Event.DiffCommitRequested(new RequestId("d"), other, TestEvents.layer("x"), NOW));
    runToTheEnd();

    assertThat(kafka.status("d").state()).isEqualTo(State.FAILED);
    assertThat(kafka.status("d").detail().orElseThrow()).contains("no repository missing.example");
  }

  @Test
  void setsEventsAsideThatAreNotForPublishers() {
    kafka.say(
        new Event.WorkProgress(
            REPOSITORY,
            new io.lamina.messaging.event.WorkKey(
                io.lamina.messaging.event.WorkKey.Kind.LAYER, "ab"),
            1,
            2,
            NOW));
    kafka.say(upload("d", "x"));
    runToTheEnd();

    assertThat(kafka.setAside).hasSize(1);
    assertThat(kafka.status("d").state()).isEqualTo(State.DONE);
  }

  @Test
  void publishesWhatAnotherSiteHasPublishedAndSetsAsideWhatItCannot() {
    kafka.say(followed(1, "/r.example/taken:1", "somewhere"));
    runToTheEnd();
    kafka.say(followed(2, "/r.example/taken:1/below:1", "nowhere"));
    kafka.say(followed(3, "/r.example/other:1", "elsewhere"));
    kafka.say(followed(3, "/r.example/other:1", "elsewhere"));
    runToTheEnd();

    assertThat(kafka.setAside).hasSize(1);
    try (Repository repository = repositories.open(REPOSITORY);
        RepositoryView view = repository.view()) {
      assertThat(view.lookup(RepositoryPath.of("/r.example/taken:1"))).isPresent();
      assertThat(view.lookup(RepositoryPath.of("/r.example/other:1"))).isPresent();
      assertThat(view.manifest().revision()).isEqualTo(2);
    }
    assertThat(kafka.notes.keySet())
        .containsExactlyInAnyOrder(
            REPOSITORY + "/journal", REPOSITORY + "/followed/geneva/a.example");
    checkJournal();
  }

  private static Event followed(long revision, String path, String target) {
    return new Event.TransactionFollowed(
        REPOSITORY,
        new SiteOrigin(
            "geneva",
            1,
            new RepositoryName("a.example"),
            revision,
            TestEvents.hash("root " + revision)),
        NOW.getEpochSecond(),
        List.of(new CatalogChange.PutSymlink(RepositoryPath.of(path), target)));
  }

  @Test
  void commitsTheOthersWhenOneImageCannotBePublished() {
    kafka.say(plan("link", "r.example/taken", platform("linux/amd64", "a", "x")));
    runToTheEnd();
    kafka.say(plan("below", "r.example/taken/b:1", platform("linux/amd64", "b", "x")));
    kafka.say(plan("other", "r.example/other:1", platform("linux/amd64", "c", "y")));
    runToTheEnd();

    assertThat(kafka.status("below").state()).isEqualTo(State.FAILED);
    assertThat(kafka.status("below").detail().orElseThrow()).contains("/r.example/taken");
    assertThat(kafka.status("other").state()).isEqualTo(State.DONE);
    checkJournal();
  }

  /**
   * Whoever was held up just before its commit point goes on when others have gone on without it.
   */
  @Test
  void doesNotBringAnOlderImageBackWhenItWasHeldUpAndAnotherOwnerPublished() {
    kafka.say(plan("old", "r.example/a:1", platform("linux/amd64", "a", "x", "y")));
    PublisherPartition former = partition;
    store.holdUp(
        new ObjectKey(".cvmfspublished"),
        swap -> {
          store = new MortalStore(lasting);
          partition = open();
          runToTheEnd();
          kafka.say(plan("new", "r.example/a:1", platform("linux/amd64", "b", "x", "z")));
          runToTheEnd();
        });

    assertThatThrownBy(() -> runUntilItEnds(former))
        .isInstanceOf(MessagingException.PartitionLost.class);

    runToTheEnd();
    assertThat(kafka.status("old").state()).isEqualTo(State.DONE);
    assertThat(kafka.status("new").state()).isEqualTo(State.DONE);
    assertThat(kafka.journal().stream().flatMap(event -> event.requests().stream()))
        .containsExactly(new RequestId("old"), new RequestId("new"));
    checkJournal();
    try (Repository repository = repositories.open(REPOSITORY);
        RepositoryView view = repository.view()) {
      assertThat(view.lookup(RepositoryPath.of("/r.example/a:1")).orElseThrow().symlinkTarget())
          .asString(java.nio.charset.StandardCharsets.UTF_8)
          .endsWith(TestEvents.digest("config of b").hex());
    }
  }

  /** The successor looks, the former owner commits, the successor commits. */
  @Test
  void saysWhatAFormerOwnerPublishedAfterItsSuccessorHadLooked() {
    kafka.say(plan("a", "r.example/a:1", platform("linux/amd64", "a", "x", "y")));
    PublisherPartition former = partition;
    ObjectKey manifest = new ObjectKey(".cvmfspublished");
    store.holdUp(
        manifest,
        formersSwap -> {
          store = new MortalStore(lasting);
          store.holdUp(manifest, successorsSwap -> formersSwap.run());
          partition = open();
          runToTheEnd();
        });

    assertThatThrownBy(() -> runUntilItEnds(former))
        .isInstanceOf(MessagingException.PartitionLost.class);

    runToTheEnd();
    assertThat(kafka.status("a").state()).isEqualTo(State.DONE);
    assertThat(kafka.status("a").revision()).contains(1L);
    assertThat(kafka.journal()).hasSize(1);
    assertThat(kafka.journal().getFirst().requests()).containsExactly(new RequestId("a"));
    checkJournal();
  }

  private void runUntilItEnds(PublisherPartition owner) {
    for (int round = 0; ; round++) {
      assertThat(round).as("comes to an end").isLessThan(1_000);
      kafka.work(lasting, 100);
      kafka.hand(owner, 100);
    }
  }

  static List<Integer> seeds() {
    Integer fixed = Integer.getInteger("lamina.seed");
    return fixed != null
        ? List.of(fixed)
        : java.util.stream.IntStream.range(0, 10).boxed().toList();
  }

  /** Kills happen at any write to the repository, and before or after Kafka's commit. */
  @ParameterizedTest(name = "seed {0}")
  @MethodSource("seeds")
  void publishesEachTransactionOnceInTheJournalHoweverOftenItIsKilled(int seed) {
    Random random = new Random(seed);
    for (int i = 0; i < 12; i++) {
      kafka.say(
          plan(
              "r" + i,
              "r.example/image" + random.nextInt(5) + ":1",
              platform(
                  "linux/amd64",
                  "image" + i,
                  "layer" + random.nextInt(6),
                  "layer" + random.nextInt(6))));
      if (random.nextInt(4) == 0) {
        kafka.say(upload("d" + i, "layer" + random.nextInt(8)));
      }
    }
    runWithTrouble(random);

    kafka.statuses.values().forEach(s -> assertThat(s.state().isFinal()).as("%s", s).isTrue());
    assertThat(kafka.statuses.values()).noneMatch(s -> s.state() == State.FAILED);
    checkJournal();
  }

  @Test
  void removesAnUploadWhenItIsRecordedThatItsLayerIsShown() {
    ObjectKey x = UploadArea.keyOf(TestEvents.digest("x").hex());
    ObjectKey y = UploadArea.keyOf(TestEvents.digest("y").hex());
    lasting.putIfAbsent(x, Content.of(new byte[] {1}));
    lasting.putIfAbsent(y, Content.of(new byte[] {2}));
    kafka.say(upload("d", "x"));
    kafka.say(upload("e", "y"));
    kafka.hand(partition, 10);
    kafka.work(lasting, 1);
    assertThat(lasting.head(x)).isPresent();

    kafka.hand(partition, 10);

    assertThat(kafka.status("d").state()).isEqualTo(State.DONE);
    assertThat(lasting.head(x)).isEmpty();
    assertThat(lasting.head(y)).isPresent();
  }

  @Test
  void removesAbandonedUploadsAfterAWeekButNoneThatAreNeeded() {
    ObjectKey abandoned = UploadArea.keyOf(TestEvents.digest("nobody's").hex());
    ObjectKey needed = UploadArea.keyOf(TestEvents.digest("x").hex());
    lasting.putIfAbsent(abandoned, Content.of(new byte[] {1}));
    lasting.putIfAbsent(needed, Content.of(new byte[] {2}));
    kafka.say(upload("d", "x"));
    kafka.hand(partition, 10);
    assertThat(lasting.head(abandoned)).isPresent();

    clock = Clock.offset(CLOCK, UploadedArchives.ABANDONED_AFTER.plusSeconds(1));
    partition = open();
    kafka.say(upload("e", "y"));
    kafka.hand(partition, 10);

    assertThat(lasting.head(abandoned)).isEmpty();
    assertThat(lasting.head(needed)).isPresent();
  }

  @Test
  void goesOnWithConvertedLayersAfterACrash() {
    kafka.say(plan("a", "r.example/a:1", platform("linux/amd64", "a", "x", "y")));
    kafka.hand(partition, 10);
    kafka.work(lasting, 1);
    kafka.hand(partition, 10);
    assertThat(kafka.notes.keySet()).anyMatch(key -> key.contains("/layer/"));
    assertThat(kafka.journal()).isEmpty();

    partition = open();
    kafka.work(lasting, 1);
    kafka.hand(partition, 10);
    kafka.work(lasting, 1);
    store.killAfter(3);
    assertThatThrownBy(() -> kafka.hand(partition, 10)).isInstanceOf(MortalStore.Killed.class);
    store = new MortalStore(lasting);
    partition = open();
    runToTheEnd();

    assertThat(kafka.status("a").state()).isEqualTo(State.DONE);
    assertThat(kafka.journal()).hasSize(1);
    assertThat(kafka.notes.keySet()).containsExactly(REPOSITORY + "/journal");
    checkJournal();
  }

  @Test
  void showsNothingOfAnImageThatIsRefused() {
    kafka.say(plan("link", "r.example/taken", platform("linux/amd64", "a", "x")));
    runToTheEnd();
    kafka.say(plan("below", "r.example/taken/b:1", platform("linux/amd64", "b", "x", "y")));
    runToTheEnd();

    assertThat(kafka.status("below").state()).isEqualTo(State.FAILED);
    assertThat(kafka.journal()).hasSize(1);
    assertThat(kafka.notes.keySet()).containsExactly(REPOSITORY + "/journal");
  }

  /**
   * The same requests one after the other, with the same recorded times: how fast the converters
   * are, in which order they answer, what the clocks say and who dies when makes no difference.
   */
  @ParameterizedTest(name = "seed {0}")
  @MethodSource("seeds")
  void endsOnTheSameRootHashWhateverTheTiming(int seed) throws java.io.IOException {
    Random images = new Random(seed);
    List<Event> requests = new ArrayList<>();
    for (int i = 0; i < 5; i++) {
      requests.add(sequentialRequest(images, i));
    }

    for (Event request : requests) {
      kafka.say(request);
      runToTheEnd();
    }
    List<ContentHash> undisturbed = roots();

    createRepository();
    Random random = new Random(seed + 1_000L);
    clock = Clock.offset(CLOCK, java.time.Duration.ofHours(1 + random.nextInt(100_000)));
    partition = open();
    for (Event request : requests) {
      Event planned =
          request instanceof Event.ImagePlanned plan
              ? TestEvents.at(plan, plan.acceptedAt(), clock.instant())
              : request;
      kafka.say(planned);
      runWithTrouble(random);
    }

    assertThat(undisturbed).hasSizeBetween(4, 5);
    assertThat(roots()).isEqualTo(undisturbed);
    checkJournal();
  }

  /** Whatever breaks off in between: once removed, and what came after it stays. */
  @ParameterizedTest(name = "seed {0}")
  @MethodSource("seeds")
  void removesOnceWhateverBreaksOff(int seed) {
    Random random = new Random(seed);
    kafka.say(image("a", "r.example/app:1", "one", "x", "y"));
    kafka.say(image("b", "r.example/app:2", "two", "y", "z"));
    kafka.say(image("c", "r.example/other:1", "three", "z"));
    runWithTrouble(random);
    kafka.say(TestEvents.removal("r1", "r.example/app:1"));
    kafka.say(image("a2", "r.example/app:1", "four", "x", "v"));
    runWithTrouble(random);
    kafka.say(TestEvents.removal("r2", "r.example/app:2"));
    kafka.say(TestEvents.removal("r3", "r.example/none:1"));
    runWithTrouble(random);

    for (String id : List.of("a", "b", "c", "r1", "a2", "r2", "r3")) {
      assertThat(kafka.status(id).state())
          .as("%s: %s", id, kafka.status(id).detail())
          .isEqualTo(State.DONE);
    }
    assertThat(kafka.status("r3").detail()).contains("there was nothing to remove");
    try (Repository repository = repositories.open(REPOSITORY);
        RepositoryView view = repository.view()) {
      RepositoryContents shown = new RepositoryContents(view, repository.store());
      assertThat(shown.images("", Event.RemovalRequested.Scope.ALL))
          .containsExactly("r.example/app:1", "r.example/other:1");
      assertThat(shown.entriesOf("r.example/app:2")).isEmpty();
      for (String layer : List.of("x", "v", "z")) {
        assertThat(shown.layer(TestEvents.digest(layer))).as(layer).isPresent();
      }
      assertThat(shown.layer(TestEvents.digest("y"))).isEmpty();
      assertThat(shown.exists(RepositoryPath.of(folderOf("y")))).isFalse();
      assertThat(shown.hasFlat(TestEvents.digest("config of two"))).isFalse();
      assertThat(shown.hasFlat(TestEvents.digest("config of four"))).isTrue();
    }
    assertThat(kafka.journal().stream().flatMap(event -> event.requests().stream()))
        .doesNotHaveDuplicates()
        .contains(new RequestId("r1"), new RequestId("r2"))
        .doesNotContain(new RequestId("r3"));
    checkJournal();
  }

  @Test
  void removesAllPlatformsOfAnImage() {
    PlannedPlatform amd = stored("linux/amd64", "one", "x");
    PlannedPlatform arm = stored("linux/arm64", "two", "y");
    kafka.say(plan("a", "r.example/app:1", amd, arm));
    runToTheEnd();
    kafka.say(TestEvents.removal("r", "*"));
    runToTheEnd();

    assertThat(kafka.status("r").state()).isEqualTo(State.DONE);
    try (Repository repository = repositories.open(REPOSITORY);
        RepositoryView view = repository.view()) {
      RepositoryContents shown = new RepositoryContents(view, repository.store());
      assertThat(shown.images("", Event.RemovalRequested.Scope.ALL)).isEmpty();
      for (String gone :
          List.of(
              "/r.example/app:1",
              "/.multiarch/amd64/r.example/app:1",
              "/.multiarch/arm64:v8/r.example/app:1",
              "/.metadata/r.example/app:1",
              "/.metadata/.multiarch/arm64/r.example/app:1",
              folderOf("x"),
              folderOf("y"))) {
        assertThat(shown.exists(RepositoryPath.of(gone))).as(gone).isFalse();
      }
    }
    checkJournal();
  }

  @Test
  void keepsAllTreesIfAnImagesMetadataCannotBeRead() {
    kafka.say(image("a", "r.example/app:1", "one", "x"));
    kafka.say(plan("b", "r.example/app:2", platform("linux/amd64", "b", "y")));
    runToTheEnd();
    kafka.say(TestEvents.removal("r", "r.example/app:1"));
    runToTheEnd();

    assertThat(kafka.status("r").state()).isEqualTo(State.DONE);
    try (Repository repository = repositories.open(REPOSITORY);
        RepositoryView view = repository.view()) {
      RepositoryContents shown = new RepositoryContents(view, repository.store());
      assertThat(shown.exists(RepositoryPath.of("/r.example/app:1"))).isFalse();
      assertThat(shown.layer(TestEvents.digest("x"))).isPresent();
    }
  }

  private Collector.Running collect(
      Event.CollectionRequested request,
      Repository repository,
      PublisherBackend backend,
      CollectionRoots roots) {
    if (collectorIsDead) {
      return () -> {};
    }
    collections++;
    BackgroundCollector collector =
        new BackgroundCollector(CollectionRules.DEFAULT, kafka::say, clock);
    leftByOwners.add(collector);
    return collector.start(request, repository, backend, roots);
  }

  @Test
  void collectsOnceAndSaysWhatItRemoved() throws InterruptedException {
    kafka.say(image("a", "r.example/app:1", "one", "x"));
    runToTheEnd();
    kafka.say(
        new Event.CollectionRequested(new RequestId("c"), REPOSITORY, true, NOW, Optional.empty()));
    kafka.hand(partition, 10);
    kafka.say(
        new Event.CollectionRequested(
            new RequestId("same"), REPOSITORY, true, NOW, Optional.empty()));
    kafka.hand(partition, 1);
    awaitTheEndOf("c");

    assertThat(kafka.status("c").state()).isEqualTo(State.DONE);
    assertThat(kafka.status("c").kind()).isEqualTo(Event.RequestStatus.Kind.COLLECTION);
    assertThat(kafka.status("c").detail().orElseThrow()).startsWith("would remove 0 objects");
    assertThat(collections).isOne();
    assertThat(kafka.notes.keySet()).containsExactly(REPOSITORY + "/journal");
    assertThat(kafka.journal()).hasSize(1);
  }

  @Test
  void takesTreesAwayWhoseTagsHaveMovedOnAWeekAgo() {
    Clock[] now = {CLOCK};
    kafka.say(image("a", "r.example/app:1", "one", "x", "y"));
    kafka.say(upload("d", "committed"));
    runToTheEnd();
    for (int day = 1; day <= 9; day += 4) {
      now[0] = Clock.fixed(NOW.plus(java.time.Duration.ofDays(day)), ZoneOffset.UTC);
      Event.ImagePlanned next = image("a" + day, "r.example/app:1", "next" + day, "x", "z" + day);
      kafka.say(TestEvents.at(next, now[0].instant(), now[0].instant()));
      runToTheEnd();
    }
    try (Repository repository = repositories.open(REPOSITORY);
        RepositoryView view = repository.view()) {
      RepositoryContents shown =
          new RepositoryContents(view, repository.store(), new KeptHistory(repository));

      assertThat(shown.abandonedTrees(now[0].instant()))
          .as("what was replaced on day 1; z1 was until day 5, and a commit's layer is nobody's")
          .extracting(WorkKey::toString)
          .containsExactlyInAnyOrder(
              "layer/" + TestEvents.digest("y").hex(),
              "flat/" + TestEvents.digest("config of one").hex());
      assertThat(shown.abandonedTrees(NOW)).isEmpty();
    }
  }

  @Test
  void beginsACollectionAnewThatItsOwnerDidNotFinish() throws InterruptedException {
    kafka.say(
        new Event.CollectionRequested(
            new RequestId("c"), REPOSITORY, false, NOW, Optional.empty()));
    Kafka before = kafka;
    collectorIsDead = true;
    kafka.hand(partition, 10);
    assertThat(before.status("c").state()).isEqualTo(State.PUBLISHING);
    assertThat(before.notes).containsKey(REPOSITORY + "/request/c");
    collectorIsDead = false;
    partition = open();
    awaitTheEndOf("c");

    assertThat(kafka.status("c").state()).isEqualTo(State.DONE);
    assertThat(collections).isOne();
  }

  @Test
  void saysWhyACollectionBrokeOff() throws InterruptedException {
    kafka.say(upload("d", "x"));
    runToTheEnd();
    lasting.delete(new ObjectKey(".cvmfsreflog"));
    kafka.say(
        new Event.CollectionRequested(
            new RequestId("c"), REPOSITORY, false, NOW, Optional.empty()));
    awaitTheEndOf("c");

    assertThat(kafka.status("c").state()).isEqualTo(State.FAILED);
    assertThat(kafka.status("c").detail().orElseThrow()).contains("the reflog of");
  }

  private void awaitTheEndOf(String request) throws InterruptedException {
    long deadline = System.nanoTime() + java.time.Duration.ofSeconds(60).toNanos();
    while (!kafka.statuses.containsKey(new RequestId(request))
        || !kafka.status(request).state().isFinal()) {
      assertThat(System.nanoTime()).as("in time").isLessThan(deadline);
      kafka.hand(partition, 10);
      Thread.onSpinWait();
    }
  }

  private static String folderOf(String layer) {
    return io.lamina.repository.RepositoryLayout.layerFolder(TestEvents.digest(layer).hex())
        .toString();
  }

  private Event.ImagePlanned image(String request, String name, String image, String... layers) {
    return plan(request, name, stored("linux/amd64", image, layers));
  }

  /** As a planner makes it: the manifest lies in the store and names config and layers. */
  private PlannedPlatform stored(String platform, String image, String... layers) {
    PlannedPlatform made = platform(platform, image, layers);
    StringBuilder manifest = new StringBuilder("{\"config\": \"" + made.imageId() + "\"");
    made.layers().forEach(l -> manifest.append(", \"").append(l.blob().digest()).append('"'));
    byte[] bytes = manifest.append('}').toString().getBytes(StandardCharsets.UTF_8);
    try (ObjectCompressor compressor = CatalogCompression.FOR_PUBLISHERS.newCompressor()) {
      ContentHash object = new ObjectUploads(lasting).putFile(bytes, compressor);
      return new PlannedPlatform(
          made.platform(),
          made.manifestDigest(),
          new StoredFile(object, bytes.length),
          made.imageId(),
          made.config(),
          made.layers(),
          made.foreignLayers());
    }
  }

  private static Event sequentialRequest(Random images, int number) {
    java.time.Instant accepted = NOW.plusSeconds(60L * number);
    if (number == 3) {
      return new Event.DiffCommitRequested(
          new RequestId("r" + number), REPOSITORY, TestEvents.layer("layer0"), accepted);
    }
    String[] layers =
        images.ints(2 + images.nextInt(5), 0, 9).mapToObj(l -> "layer" + l).toArray(String[]::new);
    Event.ImagePlanned plan =
        plan(
            "r" + number,
            "r.example/image" + number + ":1",
            platform("linux/amd64", "image" + number, layers),
            platform("linux/arm64", "arm image" + number, "arm" + images.nextInt(3), layers[0]));
    return TestEvents.at(plan, accepted, accepted);
  }

  private void runWithTrouble(Random random) {
    for (int round = 0; kafka.hasMore() || kafka.hasWork(); round++) {
      assertThat(round).as("comes to an end").isLessThan(2_000);
      if (random.nextInt(3) == 0) {
        store.killAfter(random.nextInt(25));
      }
      kafka.failNextCommit = random.nextInt(6) == 0;
      try {
        if (random.nextBoolean()) {
          kafka.workInAnyOrder(lasting, 1 + random.nextInt(3), random);
        }
        kafka.hand(partition, 1 + random.nextInt(4));
      } catch (MortalStore.Killed | MessagingException | IllegalStateException e) {
        kafka.failNextCommit = false;
        store = new MortalStore(lasting);
        partition = open();
      }
    }
  }

  private List<ContentHash> roots() {
    return kafka.journal().stream().map(TransactionPublished::root).toList();
  }

  @Test
  void waitsForARepositoryWhoseRequestsAreUnfinished() throws java.io.IOException {
    kafka.say(upload("d", "x"));
    kafka.hand(partition, 10);
    Path definition = data.resolve("repositories/" + REPOSITORY + ".json");
    byte[] text = java.nio.file.Files.readAllBytes(definition);
    java.nio.file.Files.delete(definition);
    partition = open();
    kafka.work(lasting, 10);

    assertThatThrownBy(() -> kafka.hand(partition, 10))
        .isInstanceOf(RepositoryException.Retryable.class);
    java.nio.file.Files.write(definition, text);
    partition = open();
    runToTheEnd();
    assertThat(kafka.status("d").state()).isEqualTo(State.DONE);
  }

  // ---- helpers ------------------------------------------------------------------------------

  private void runToTheEnd() {
    for (int round = 0; kafka.hasMore() || kafka.hasWork(); round++) {
      assertThat(round).isLessThan(1_000);
      kafka.work(lasting, 100);
      kafka.hand(partition, 100);
    }
  }

  /** The journal is one unbroken chain that ends at the head, and replaying it gives the head. */
  private void checkJournal() {
    List<TransactionPublished> journal = kafka.journal();
    try (Repository repository = repositories.open(REPOSITORY)) {
      Manifest head = repository.manifest().manifest();
      assertThat(journal).hasSize((int) head.revision());
      assertThat(journal.getLast().root()).isEqualTo(head.rootCatalog());
      for (int i = 0; i < journal.size(); i++) {
        assertThat(journal.get(i).revision()).isEqualTo(i + 1);
        if (i > 0) {
          assertThat(journal.get(i).previousRoot()).isEqualTo(journal.get(i - 1).root());
        }
      }
      assertThat(replay(journal)).isEqualTo(head.rootCatalog());
    }
  }

  private ContentHash replay(List<TransactionPublished> journal) {
    Path copyData = data.resolve("copy" + System.nanoTime());
    MortalStore copy = new MortalStore(new InMemoryObjectStore(CLOCK));
    if (keys != null) {
      keys.save(copyData.resolve("keys"));
    }
    Repositories copies = new Repositories(copyData, location -> copy);
    try (Repository repository =
            copies.create(
                RepositoryDefinition.inDataFolder(
                    REPOSITORY, RepositoryDefinition.Settings.DEFAULT, NOW),
                new SecureRandom(),
                CLOCK);
        RepositoryWriter writer = repository.writer()) {
      ContentHash root = repository.manifest().manifest().rootCatalog();
      for (TransactionPublished event : journal) {
        Committed committed =
            writer.commit(event.changes(), event.timestampSeconds(), about -> new byte[0]);
        root = committed.root();
        assertThat(root).isEqualTo(event.root());
      }
      return root;
    }
  }

  private PublisherPartition open() {
    kafka.handed = kafka.offset;
    Owner owner = new Owner(kafka);
    return new PublisherPartition(
        owner,
        (name, notes) -> {
          Repository repository = repositories.open(name);
          RepositoryWriter writer = repository.writer();
          leftByOwners.add(repository);
          leftByOwners.add(writer);
          return new RepositoryDesk(
              new RepositoryDesk.Tools(
                  repository,
                  writer,
                  CatalogCompression.FOR_PUBLISHERS.newCompressor(),
                  owner::confirmOwnership,
                  this::collect),
              CoordinatorSettings.DEFAULT,
              notes,
              new PublisherMetrics(new SimpleMeterRegistry()),
              clock);
        },
        kafka::say,
        clock);
  }

  /** The partition as one of its owners sees it, until another one comes. */
  private static final class Owner implements PartitionScope {
    private final Kafka kafka;
    private final int number;

    Owner(Kafka kafka) {
      this.kafka = kafka;
      this.number = ++kafka.owners;
    }

    @Override
    public int partition() {
      return 0;
    }

    @Override
    public void commit(List<Outgoing> events) {
      confirmOwnership();
      kafka.commit(events);
    }

    @Override
    public void commit(List<Outgoing> events, Collection<Received.Position> done) {
      throw new AssertionError("publishers keep the order");
    }

    @Override
    public void confirmOwnership() {
      if (kafka.owners != number) {
        throw new MessagingException.PartitionLost("there is another owner", null);
      }
    }

    @Override
    public void setAside(Received record, Throwable cause) {
      kafka.setAside.add(record);
    }

    @Override
    public Map<String, Received> restore(Topic from) {
      return kafka.restore(from);
    }

    @Override
    public boolean isStopping() {
      return false;
    }
  }

  /** One partition of each topic; what a commit says is there, or nothing of it. */
  private static final class Kafka {
    private final List<Event> topic = new java.util.concurrent.CopyOnWriteArrayList<>();
    private final Map<String, Event> notes = new LinkedHashMap<>();
    private final Map<RequestId, Event.RequestStatus> statuses = new LinkedHashMap<>();
    private final List<Event> published = new ArrayList<>();
    private final Deque<Event.Work> work = new ArrayDeque<>();
    private final List<Received> setAside = new ArrayList<>();
    private int offset;
    private int handed;
    private boolean failNextCommit;
    private int owners;

    void say(Event event) {
      topic.add(event);
    }

    boolean hasMore() {
      return offset < topic.size();
    }

    boolean hasWork() {
      return !work.isEmpty();
    }

    void work(ObjectStore store, int most) {
      for (int i = 0; i < most && !work.isEmpty(); i++) {
        topic.add(TestConverter.answer(store, work.remove()));
      }
    }

    void workInAnyOrder(ObjectStore store, int most, Random random) {
      List<Event.Work> shuffled = new ArrayList<>(work);
      java.util.Collections.shuffle(shuffled, random);
      work.clear();
      work.addAll(shuffled);
      work(store, most);
      if (most > 2 && !topic.isEmpty() && topic.getLast() instanceof Event.LayerConverted again) {
        topic.add(again);
      }
    }

    void hand(PublisherPartition partition, int most) {
      List<Received> batch = new ArrayList<>();
      for (int i = handed; i < topic.size() && batch.size() < most; i++) {
        batch.add(received(Topic.REPOSITORY, i, "key", topic.get(i)));
      }
      if (!batch.isEmpty()) {
        handed += batch.size();
        partition.handle(batch);
      }
    }

    void commit(List<Outgoing> events) {
      if (failNextCommit) {
        failNextCommit = false;
        throw new MessagingException.Retryable("the broker is gone", null);
      }
      offset = handed;
      for (Outgoing outgoing : events) {
        Optional<Event> event = outgoing.event();
        switch (outgoing.topic()) {
          case PENDING ->
              event.ifPresentOrElse(
                  e -> notes.put(outgoing.key(), e), () -> notes.remove(outgoing.key()));
          case STATUS ->
              event.ifPresentOrElse(
                  e -> statuses.put(((Event.RequestStatus) e).request(), (Event.RequestStatus) e),
                  () -> assertThat(outgoing.key()).matches("[^/]+/(layer|flat|thin)/.+"));
          case PUBLISHED -> published.add(event.orElseThrow());
          case LAYERS -> work.add((Event.Work) event.orElseThrow());
          case REPOSITORY -> topic.add(event.orElseThrow());
          default -> throw new AssertionError("nothing is said to " + outgoing.topic());
        }
      }
    }

    Map<String, Received> restore(Topic from) {
      Map<String, Received> latest = new LinkedHashMap<>();
      notes.forEach((key, event) -> latest.put(key, received(from, 0, key, event)));
      return latest;
    }

    List<TransactionPublished> journal() {
      return published.stream().map(TransactionPublished.class::cast).toList();
    }

    Event.RequestStatus status(String request) {
      return java.util.Objects.requireNonNull(statuses.get(new RequestId(request)), request);
    }

    private static Received received(Topic topic, int offset, String key, Event event) {
      return new Received(
          new Received.Position(topic.topicName(), 0, offset),
          key,
          Optional.of(event),
          Optional.empty(),
          NOW);
    }
  }
}
