package io.lamina.publisher;

import static io.lamina.publisher.TestEvents.NOW;
import static io.lamina.publisher.TestEvents.REPOSITORY;
import static io.lamina.publisher.TestEvents.answer;
import static io.lamina.publisher.TestEvents.digest;
import static io.lamina.publisher.TestEvents.plan;
import static io.lamina.publisher.TestEvents.platform;
import static io.lamina.publisher.TestEvents.withThin;
import static org.assertj.core.api.Assertions.assertThat;

import io.lamina.cvmfs.ContentHash;
import io.lamina.cvmfs.RepositoryPath;
import io.lamina.cvmfs.catalog.CatalogChange;
import io.lamina.messaging.event.Event;
import io.lamina.messaging.event.Event.RequestStatus.State;
import io.lamina.messaging.event.PlannedPlatform;
import io.lamina.messaging.event.RequestId;
import io.lamina.messaging.event.WorkKey;
import io.lamina.repository.RepositoryLayout;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.stream.IntStream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Random requests, answers, duplicates, failures and crashes; after each the rules must hold. The
 * seed is the test's name; fix it with {@code -Dlamina.seed=N}.
 */
class CoordinatorSimulationTest {
  private static final int REQUESTS = 60;

  static IntStream seeds() {
    Integer fixed = Integer.getInteger("lamina.seed");
    return fixed != null ? IntStream.of(fixed) : IntStream.range(0, 150);
  }

  @ParameterizedTest(name = "seed {0}")
  @MethodSource("seeds")
  void keepsItsPromisesWhateverHappens(int seed) {
    World world = new World(seed);

    world.run();

    world.checkEveryRequestIsFinal();
    world.checkEveryShownImageIsComplete();
    world.checkNothingIsLeftOver();
  }

  /** Topics, converters and a repository, all driven by one random generator. */
  private static final class World {
    private final Random random;
    private final FakeRepository repository = new FakeRepository();

    // What Kafka has committed.
    private final List<Event> topic = new ArrayList<>();
    private int offset;
    private final Map<String, Event.Pending> notes = new LinkedHashMap<>();
    private final Map<RequestId, Event.RequestStatus> statuses = new LinkedHashMap<>();
    private final List<Event.Work> queue = new ArrayList<>();

    private final Map<RequestId, Event> requests = new LinkedHashMap<>();
    private final Set<WorkKey> underWay = new HashSet<>();
    private final Set<ContentHash> made = new HashSet<>();
    private final Map<RepositoryPath, CatalogChange.Attach> grafted = new HashMap<>();
    private RepositoryCoordinator coordinator = fresh();
    private int produced;

    World(int seed) {
      random = new Random(seed);
      if (chance(0.3)) {
        repository.refused.add(RepositoryPath.of("/r.example/image0:1"));
      }
      if (chance(0.2)) {
        repository.refused.add(RepositoryLayout.layer(digest("layer1").hex()));
      }
    }

    void run() {
      int guard = 0;
      while (produced < REQUESTS || offset < topic.size() || !queue.isEmpty()) {
        assertThat(guard++).as("the world comes to rest").isLessThan(20_000);
        switch (random.nextInt(4)) {
          case 0 -> request();
          case 1 -> convert();
          default -> publish();
        }
      }
    }

    // ---- people and planners ----------------------------------------------------------------

    private void request() {
      if (produced == REQUESTS) {
        return;
      }
      String id = "r" + produced++;
      if (chance(0.1) && produced > 1) {
        topic.add(TestEvents.cancel("r" + random.nextInt(produced)));
      }
      Event event = chance(0.15) ? TestEvents.upload(id, "layer" + random.nextInt(8)) : image(id);
      requests.put(new RequestId(id), event);
      topic.add(event);
      if (chance(0.1)) {
        topic.add(event);
      }
    }

    private Event image(String id) {
      int name = random.nextInt(4);
      int version = random.nextInt(3);
      List<PlannedPlatform> platforms = new ArrayList<>();
      platforms.add(platformOf("linux/amd64", name, version));
      if (name == 3) {
        platforms.add(platformOf("linux/arm64", name, version));
      }
      Event.ImagePlanned plan =
          plan(id, "r.example/image" + name + ":1", platforms.toArray(PlannedPlatform[]::new));
      return chance(0.3) ? withThin(plan, "docker://t.example/thin" + name + ":1") : plan;
    }

    /** The same name and version is always the same image. */
    private PlannedPlatform platformOf(String platform, int name, int version) {
      Random layers = new Random(name * 31L + version * 7L + platform.hashCode());
      String[] names =
          IntStream.range(0, 1 + layers.nextInt(4))
              .mapToObj(i -> "layer" + layers.nextInt(8))
              .toArray(String[]::new);
      return platform(platform, "image" + name + "v" + version + platform, names);
    }

    // ---- converters -------------------------------------------------------------------------

    private void convert() {
      if (queue.isEmpty()) {
        return;
      }
      Event.Work work = queue.remove(random.nextInt(queue.size()));
      boolean fails =
          work.work().equals(new WorkKey(WorkKey.Kind.LAYER, digest("layer0").hex()))
              || chance(0.03);
      Event result = fails ? TestEvents.failure(work, "broken for good") : answer(work);
      topic.add(result);
      if (chance(0.1)) {
        topic.add(result);
      }
    }

    // ---- the publisher ----------------------------------------------------------------------

    private void publish() {
      int size = Math.min(topic.size() - offset, 1 + random.nextInt(5));
      if (size == 0) {
        return;
      }
      for (Event event : topic.subList(offset, offset + size)) {
        coordinator.accept(event, repository, NOW);
      }
      if (chance(0.05)) {
        coordinator = fresh();
        return;
      }
      int before = repository.transactions().size();
      Map<String, Step.Result> results = repository.commit(coordinator.steps(repository));
      repository
          .transactions()
          .subList(before, repository.transactions().size())
          .forEach(this::checkTransaction);
      if (chance(0.05)) {
        coordinator = fresh();
        return;
      }
      Decisions decisions =
          coordinator.settle(results, repository, repository.revision(), Map.of(), NOW);
      if (chance(0.05)) {
        coordinator = fresh();
        return;
      }
      commit(decisions, offset + size);
      if (chance(0.05)) {
        coordinator = fresh();
      }
    }

    private void commit(Decisions decisions, int newOffset) {
      topic.subList(offset, newOffset).forEach(this::noLongerUnderWay);
      offset = newOffset;
      for (Event.Work work : decisions.work()) {
        assertThat(underWay.add(work.work())).as("%s is asked for once", work.work()).isTrue();
        if (work instanceof Event.FlatRequested flat) {
          assertThat(flat.layers()).allSatisfy(graft -> assertThat(made).contains(graft.catalog()));
        }
        queue.add(work);
      }
      decisions
          .notes()
          .forEach(
              (key, note) -> note.ifPresentOrElse(n -> notes.put(key, n), () -> notes.remove(key)));
      checkEveryNoteIsOfUse();
      for (Event.RequestStatus status : decisions.statuses()) {
        Event.RequestStatus last = statuses.put(status.request(), status);
        if (last != null && last.state() == State.DONE) {
          // A request that is read twice may be found done again, never undone.
          assertThat(status.state())
              .as("after DONE of %s", status.request())
              .isNotEqualTo(State.FAILED);
        }
      }
    }

    private void noLongerUnderWay(Event event) {
      switch (event) {
        case Event.LayerConverted e -> {
          underWay.remove(NeededTrees.layer(e.layer().blob().digest()));
          made.add(e.graft().catalog());
        }
        case Event.FlatMerged e -> underWay.remove(NeededTrees.flat(e.imageId()));
        case Event.ThinPushed e ->
            underWay.remove(new WorkKey(WorkKey.Kind.THIN, e.request().value()));
        case Event.WorkFailed e -> underWay.remove(e.work());
        default -> {}
      }
    }

    private RepositoryCoordinator fresh() {
      RepositoryCoordinator fresh =
          new RepositoryCoordinator(REPOSITORY, CoordinatorSettings.DEFAULT, TestEvents.THIN);
      fresh.restore(new ArrayList<>(notes.values()), repository, NOW);
      return fresh;
    }

    // ---- what must be true ------------------------------------------------------------------

    private void checkTransaction(List<CatalogChange> changes) {
      assertThat(changes).isNotEmpty();
      for (CatalogChange change : changes) {
        if (change instanceof CatalogChange.Attach attach) {
          assertThat(grafted.put(attach.path(), attach))
              .as("%s is published once", attach.path())
              .isNull();
          checkSomethingCompleteNeeds(attach.path());
        }
        if (change instanceof CatalogChange.PutSymlink link && link.target().contains(".flat/")) {
          String flat = link.target().substring(link.target().indexOf("/.flat/"));
          assertThat(repository.entries())
              .as("%s leads somewhere", link.path())
              .containsKey(RepositoryPath.of(flat));
        }
      }
    }

    /** What a transaction grafts belongs to an upload, or to an image that is complete with it. */
    private void checkSomethingCompleteNeeds(RepositoryPath tree) {
      assertThat(requests.values())
          .as("%s is shown for something complete", tree)
          .anyMatch(
              request ->
                  switch (request) {
                    case Event.DiffCommitRequested diff ->
                        tree.equals(RepositoryLayout.layer(diff.layer().blob().digest().hex()));
                    case Event.ImagePlanned plan -> treesOf(plan).contains(tree) && isShown(plan);
                    default -> false;
                  });
    }

    private boolean isShown(Event.ImagePlanned plan) {
      RepositoryPath manifest =
          RepositoryLayout.metadata(plan.publicName()).resolve("manifest.json");
      return repository.entries().keySet().containsAll(treesOf(plan))
          && repository.entries().get(manifest) instanceof CatalogChange.PutFile file
          && file.object().equals(plan.platforms().getFirst().manifest().object());
    }

    private static Set<RepositoryPath> treesOf(Event.ImagePlanned plan) {
      Set<RepositoryPath> trees = new HashSet<>();
      for (PlannedPlatform platform : plan.platforms()) {
        trees.add(RepositoryLayout.flat(platform.imageId().hex()));
        platform
            .layers()
            .forEach(layer -> trees.add(RepositoryLayout.layer(layer.blob().digest().hex())));
      }
      return trees;
    }

    /** A held layer or merged tree that no unfinished request needs would stay for ever. */
    private void checkEveryNoteIsOfUse() {
      Set<RepositoryPath> needed = new HashSet<>();
      for (Event.Pending note : notes.values()) {
        if (note instanceof Event.PendingRequest(Event begin, var revision) && revision.isEmpty()) {
          if (begin instanceof Event.ImagePlanned plan) {
            needed.addAll(treesOf(plan));
          } else if (begin instanceof Event.DiffCommitRequested diff) {
            needed.add(RepositoryLayout.layer(diff.layer().blob().digest().hex()));
          }
        }
      }
      for (Event.Pending note : notes.values()) {
        if (note instanceof Event.PendingLayer held) {
          assertThat(needed).contains(held.converted().graft().path());
        } else if (note instanceof Event.PendingFlat held) {
          assertThat(needed).contains(held.merged().graft().path());
        }
      }
    }

    void checkEveryRequestIsFinal() {
      assertThat(statuses.keySet()).containsExactlyInAnyOrderElementsOf(requests.keySet());
      assertThat(statuses.values())
          .allSatisfy(
              status -> assertThat(status.state().isFinal()).as("%s is final", status).isTrue());
    }

    void checkEveryShownImageIsComplete() {
      statuses.forEach(
          (id, status) -> {
            if (status.state() != State.DONE) {
              return;
            }
            assertThat(status.revision()).isPresent();
            if (requests.get(id) instanceof Event.ImagePlanned plan) {
              for (PlannedPlatform platform : plan.platforms()) {
                assertThat(repository.hasFlat(platform.imageId())).isTrue();
                platform
                    .layers()
                    .forEach(
                        layer ->
                            assertThat(repository.layer(layer.blob().digest()))
                                .as("%s of %s", layer, id)
                                .isPresent());
              }
              assertThat(repository.entries())
                  .containsKey(RepositoryLayout.publicLink(plan.publicName()));
            }
          });
    }

    void checkNothingIsLeftOver() {
      coordinator = fresh();
      assertThat(coordinator.isIdle()).isTrue();
      assertThat(underWay).isEmpty();
      notes
          .values()
          .forEach(
              note -> {
                if (!(note instanceof Event.FailedRequest)) {
                  assertThat(((Event.PendingRequest) note).begin())
                      .isInstanceOf(Event.CancelRequested.class);
                }
              });
    }

    private boolean chance(double probability) {
      return random.nextDouble() < probability;
    }
  }
}
