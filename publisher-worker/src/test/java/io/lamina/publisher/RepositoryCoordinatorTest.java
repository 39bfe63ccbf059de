package io.lamina.publisher;

import static io.lamina.publisher.TestEvents.NOW;
import static io.lamina.publisher.TestEvents.REPOSITORY;
import static io.lamina.publisher.TestEvents.answer;
import static io.lamina.publisher.TestEvents.cancel;
import static io.lamina.publisher.TestEvents.digest;
import static io.lamina.publisher.TestEvents.failure;
import static io.lamina.publisher.TestEvents.hash;
import static io.lamina.publisher.TestEvents.layer;
import static io.lamina.publisher.TestEvents.plan;
import static io.lamina.publisher.TestEvents.platform;
import static io.lamina.publisher.TestEvents.upload;
import static io.lamina.publisher.TestEvents.withThin;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.lamina.cvmfs.RepositoryName;
import io.lamina.cvmfs.RepositoryPath;
import io.lamina.cvmfs.catalog.CatalogChange;
import io.lamina.cvmfs.catalog.Graft;
import io.lamina.image.Descriptor;
import io.lamina.image.Digest;
import io.lamina.image.LayerDescriptor;
import io.lamina.messaging.event.Event;
import io.lamina.messaging.event.Event.RequestStatus.State;
import io.lamina.messaging.event.PlannedPlatform;
import io.lamina.messaging.event.RequestId;
import io.lamina.messaging.event.Retention;
import io.lamina.messaging.event.SiteOrigin;
import io.lamina.messaging.event.WorkKey;
import io.lamina.repository.RepositoryLayout;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.Test;

class RepositoryCoordinatorTest {
  private static final String IMAGE = "registry.example/app:1";

  private final FakeRepository repository = new FakeRepository();
  private final Map<String, Event.Pending> notes = new LinkedHashMap<>();
  private final Map<RequestId, Event.RequestStatus> statuses = new LinkedHashMap<>();
  private final Set<Digest> spent = new LinkedHashSet<>();
  private final List<WorkKey> idle = new ArrayList<>();
  private RepositoryCoordinator coordinator =
      new RepositoryCoordinator(REPOSITORY, CoordinatorSettings.DEFAULT, TestEvents.THIN);

  @Test
  void asksForEachMissingLayerOnceWhoeverNeedsIt() {
    List<Event.Work> first =
        batch(plan("a", "r.example/a:1", platform("linux/amd64", "a", "x", "y")));
    List<Event.Work> second =
        batch(plan("b", "r.example/b:1", platform("linux/amd64", "b", "y", "z")));

    assertThat(layersIn(first)).containsExactly(layer("x"), layer("y"));
    assertThat(layersIn(second)).containsExactly(layer("z"));
    assertThat(states())
        .containsOnly(Map.entry("a", State.PUBLISHING), Map.entry("b", State.PUBLISHING));
  }

  @Test
  void showsAnImageWithItsTreeItsMetadataAndItsLinkInOneTransaction() {
    List<Event.Work> layers = batch(plan("a", IMAGE, platform("linux/amd64", "a", "x", "y")));
    assertThat(batch(answer(layers.get(1)))).isEmpty();
    List<Event.Work> flat = batch(answer(layers.get(0)));
    assertThat(flat).hasSize(1);
    assertThat(repository.transactions()).isEmpty();
    batch(answer(flat.getFirst()));

    assertThat(repository.transactions()).hasSize(1);
    List<String> shown = paths(repository.transactions().getFirst());
    assertThat(shown.subList(0, 5))
        .containsExactlyInAnyOrder(
            flatPath("a"), layerPath("x"), diffIdPath("x"), layerPath("y"), diffIdPath("y"))
        .isSorted();
    assertThat(shown.subList(5, shown.size()))
        .containsExactly(
            "/.metadata/" + IMAGE + "/manifest.json",
            "/.metadata/" + IMAGE + "/config.json",
            "/" + IMAGE,
            "/.metadata/" + IMAGE + "/thin.json");
    assertThat(repository.entries().get(RepositoryPath.of("/" + IMAGE)))
        .isEqualTo(
            new CatalogChange.PutSymlink(RepositoryPath.of("/" + IMAGE), ".." + flatPath("a")));
    assertThat(status("a").state()).isEqualTo(State.DONE);
    assertThat(status("a").revision()).contains(1L);
    assertThat(status("a").detail()).isEmpty();
    assertThat(notes).isEmpty();
    assertThat(coordinator.isIdle()).isTrue();
  }

  @Test
  void mergesLayersBottomFirstAndAsOftenAsTheyOccur() {
    List<Event.Work> layers = batch(plan("a", IMAGE, platform("linux/amd64", "a", "x", "y", "x")));
    List<Event.Work> flat = batch(answer(layers.get(1)), answer(layers.get(0)));

    assertThat(((Event.FlatRequested) flat.getFirst()).layers())
        .extracting(graft -> graft.path().toString())
        .containsExactly(layerPath("x"), layerPath("y"), layerPath("x"));
  }

  @Test
  void doesNotAskForLayersThatAreInTheRepository() {
    publish(plan("a", "r.example/a:1", platform("linux/amd64", "a", "x", "y")));

    List<Event.Work> work =
        batch(plan("b", "r.example/b:1", platform("linux/amd64", "b", "x", "y")));

    assertThat(work).hasSize(1).first().isInstanceOf(Event.FlatRequested.class);
  }

  @Test
  void saysAtOnceThatAnImageIsPublishedAlready() {
    publish(plan("a", IMAGE, platform("linux/amd64", "a", "x")));
    int transactions = repository.transactions().size();

    List<Event.Work> work = batch(plan("b", IMAGE, platform("linux/amd64", "a", "x")));

    assertThat(work).isEmpty();
    assertThat(status("b").state()).isEqualTo(State.DONE);
    assertThat(status("b").detail()).contains("already published");
    assertThat(repository.transactions()).hasSize(transactions);
  }

  @Test
  void finishesEveryRequestForTheSameImageTogether() {
    List<Event.Work> work = batch(plan("a", IMAGE, platform("linux/amd64", "a", "x")));
    assertThat(batch(plan("b", IMAGE, platform("linux/amd64", "a", "x")))).isEmpty();
    finish(work);

    assertThat(states()).containsOnly(Map.entry("a", State.DONE), Map.entry("b", State.DONE));
    assertThat(repository.transactions()).hasSize(1);
  }

  @Test
  void supersedesAnOlderUnfinishedImageOfTheSameName() {
    batch(plan("old", IMAGE, platform("linux/amd64", "v1", "x")));
    List<Event.Work> work = batch(plan("new", IMAGE, platform("linux/amd64", "v2", "y")));
    finish(work);

    assertThat(status("old").state()).isEqualTo(State.CANCELLED);
    assertThat(status("old").detail()).contains("superseded by request new");
    assertThat(status("new").state()).isEqualTo(State.DONE);
  }

  @Test
  void dropsALayerThatNobodyNeedsAnyMore() {
    List<Event.Work> work = batch(plan("a", IMAGE, platform("linux/amd64", "a", "x")));
    batch(cancel("a"));
    batch(answer(work.getFirst()));

    assertThat(repository.transactions()).isEmpty();
    assertThat(status("a").state()).isEqualTo(State.CANCELLED);
    assertThat(notes).isEmpty();
  }

  @Test
  void remembersACancellationThatCameBeforeThePlan() {
    batch(cancel("a"));
    restart();
    List<Event.Work> work = batch(plan("a", IMAGE, platform("linux/amd64", "a", "x")));

    assertThat(work).isEmpty();
    assertThat(status("a").state()).isEqualTo(State.CANCELLED);
    assertThat(notes).isEmpty();
  }

  @Test
  void failsOnlyTheImagesThatNeedAFailedLayer() {
    List<Event.Work> work =
        batch(
            plan("a", "r.example/a:1", platform("linux/amd64", "a", "x", "bad")),
            plan("b", "r.example/b:1", platform("linux/amd64", "b", "x")));
    List<Event.Work> flat = batch(failure(work.get(1), "the blob is gone"), answer(work.get(0)));
    finish(flat);

    assertThat(status("a").state()).isEqualTo(State.FAILED);
    assertThat(status("a").detail()).contains("the blob is gone");
    assertThat(status("b").state()).isEqualTo(State.DONE);
  }

  @Test
  void triesAFailedLayerAgainFromAnotherImagesRegistry() {
    List<Event.Work> work = batch(plan("a", "gone.example/a:1", platform("linux/amd64", "a", "x")));
    batch(plan("b", "alive.example/b:1", platform("linux/amd64", "b", "x")));

    List<Event.Work> again = batch(failure(work.getFirst(), "no such blob"));

    assertThat(status("a").state()).isEqualTo(State.FAILED);
    assertThat(again).hasSize(1);
    assertThat(((Event.LayerRequested) again.getFirst()).image())
        .isEqualTo("docker://alive.example/b:1");
    finish(again);
    assertThat(status("b").state()).isEqualTo(State.DONE);
  }

  @Test
  void refusesAnImageWhoseConfigContradictsAPublishedLayer() {
    publish(plan("a", "r.example/a:1", platform("linux/amd64", "a", "x")));
    LayerDescriptor liar = new LayerDescriptor(layer("x").blob(), digest("something else"));
    PlannedPlatform honest = platform("linux/amd64", "victim");
    PlannedPlatform forged =
        new PlannedPlatform(
            honest.platform(),
            honest.manifestDigest(),
            honest.manifest(),
            honest.imageId(),
            honest.config(),
            List.of(liar),
            List.of());

    List<Event.Work> work = batch(plan("b", "r.example/b:1", forged));

    assertThat(work).isEmpty();
    assertThat(status("b").state()).isEqualTo(State.FAILED);
    assertThat(status("b").detail().orElseThrow()).contains("but the image's config says");
  }

  @Test
  void refusesAnImageWhoseConfigContradictsALayerUnderWay() {
    List<Event.Work> work = batch(plan("a", "r.example/a:1", platform("linux/amd64", "a", "x")));
    LayerDescriptor liar =
        new LayerDescriptor(
            new Descriptor("t", layer("x").blob().digest(), 1000), digest("something else"));
    PlannedPlatform honest = platform("linux/amd64", "b");
    batch(
        plan(
            "b",
            "r.example/b:1",
            new PlannedPlatform(
                honest.platform(),
                honest.manifestDigest(),
                honest.manifest(),
                honest.imageId(),
                honest.config(),
                List.of(liar),
                List.of())));

    finish(work);

    assertThat(states()).containsOnly(Map.entry("a", State.DONE), Map.entry("b", State.FAILED));
  }

  @Test
  void refusesNamesThatWouldReachIntoHiddenFolders() {
    for (String name : List.of(".flat/ab", "r.example/../x", "r.example/$(HOME):1", "r/.cvmfs/x")) {
      batch(plan("a", name, platform("linux/amd64", "a", "x")));

      assertThat(status("a").state()).as(name).isEqualTo(State.FAILED);
      assertThat(status("a").detail()).as(name).isPresent();
    }
    assertThat(coordinator.isIdle()).isTrue();
  }

  @Test
  void failsTheRequestOfARefusedStepAndCommitsTheOthers() {
    repository.refused.add(RepositoryPath.of("/r.example/a:1"));
    List<Event.Work> work =
        batch(
            plan("a", "r.example/a:1", platform("linux/amd64", "a", "x")),
            plan("b", "r.example/b:1", platform("linux/amd64", "b", "x")));
    finish(work);

    assertThat(states()).containsOnly(Map.entry("a", State.FAILED), Map.entry("b", State.DONE));
    assertThat(coordinator.isIdle()).isTrue();
  }

  @Test
  void refusesAGraftMadeForAnotherPlace() {
    List<Event.Work> work = batch(plan("a", IMAGE, platform("linux/amd64", "a", "x")));
    Event.LayerConverted right = (Event.LayerConverted) answer(work.getFirst());
    batch(
        new Event.LayerConverted(
            REPOSITORY,
            right.layer(),
            TestEvents.graft(RepositoryPath.of("/elsewhere")),
            right.figures()));

    assertThat(status("a").state()).isEqualTo(State.FAILED);
    assertThat(status("a").detail().orElseThrow()).contains("/elsewhere");
    assertThat(repository.transactions()).isEmpty();
  }

  @Test
  void pushesTheThinImageOnceTheImageIsShown() {
    List<Event.Work> work =
        batch(withThin(plan("a", IMAGE, platform("linux/amd64", "a", "x")), "docker://t/a:thin"));
    List<Event.Work> flat = batch(answer(work.getFirst()));
    List<Event.Work> thin = batch(answer(flat.getFirst()));

    assertThat(thin).hasSize(1).first().isInstanceOf(Event.ThinRequested.class);
    assertThat(status("a").state()).isEqualTo(State.PUBLISHING);
    assertThat(status("a").revision()).contains(1L);
    restart();
    batch(answer(thin.getFirst()));
    assertThat(status("a").state()).isEqualTo(State.DONE);
    assertThat(status("a").revision()).contains(1L);
    assertThat(notes).isEmpty();
  }

  @Test
  void saysWhyTheThinImageCouldNotBePushedThoughTheImageIsShown() {
    List<Event.Work> work =
        batch(withThin(plan("a", IMAGE, platform("linux/amd64", "a", "x")), "docker://t/a:thin"));
    List<Event.Work> flat = batch(answer(work.getFirst()));
    List<Event.Work> thin = batch(answer(flat.getFirst()));
    batch(failure(thin.getFirst(), "no credentials for t"));

    assertThat(status("a").state()).isEqualTo(State.FAILED);
    assertThat(status("a").revision()).contains(1L);
    assertThat(status("a").detail()).contains("no credentials for t");
  }

  @Test
  void hasNoUseForAnUploadOnceItsLayerIsShownAndNotBefore() {
    List<Event.Work> work = batch(upload("d", "x"), upload("e", "x"), upload("f", "y"));
    assertThat(spent).isEmpty();
    assertThat(coordinator.neededUploads()).containsExactlyInAnyOrder(digest("x"), digest("y"));

    batch(answer(work.getFirst()));
    assertThat(spent).containsExactly(digest("x"));
    assertThat(coordinator.neededUploads()).containsExactly(digest("y"));

    batch(failure(work.getLast(), "broken"));
    assertThat(status("f").state()).isEqualTo(State.FAILED);
    assertThat(spent).containsExactly(digest("x"));

    spent.clear();
    batch(upload("g", "x"));
    assertThat(status("g").state()).isEqualTo(State.DONE);
    assertThat(spent).containsExactly(digest("x"));
  }

  @Test
  void takesALayerThatIsShownForDoneThoughItsUploadIsGone() {
    List<Event.Work> work = batch(upload("d", "x"));
    Map<String, Event.Pending> before = new LinkedHashMap<>(notes);
    finish(work);
    // As after a restore of an older state: the order is under way, the layer is there.
    notes.clear();
    notes.putAll(before);
    FakeRepository shown = repository.copy();
    repository.clear();
    restart();
    repository.become(shown);

    batch(failure(work.getFirst(), "there is no such upload"));

    assertThat(status("d").state()).isEqualTo(State.DONE);
    assertThat(repository.transactions()).hasSize(1);
  }

  @Test
  void publishesAnUploadedLayerAlone() {
    List<Event.Work> work = batch(upload("d", "x"));
    assertThat(((Event.LayerRequested) work.getFirst()).image()).isEqualTo("upload:");
    finish(work);
    batch(upload("e", "x"));

    assertThat(status("d").state()).isEqualTo(State.DONE);
    assertThat(status("d").detail()).isEmpty();
    assertThat(status("e").state()).isEqualTo(State.DONE);
    assertThat(status("e").detail()).contains("already published");
    assertThat(repository.transactions()).hasSize(1);
  }

  @Test
  void letsTheClientChooseAmongSeveralPlatforms() {
    publish(
        plan(
            "a",
            IMAGE,
            platform("linux/arm64/v8", "a8", "x"),
            platform("linux/amd64", "a64", "y"),
            platform("linux/arm/v7", "a7", "x")));

    assertThat(link("/" + IMAGE))
        .isEqualTo("../.multiarch/$(CVMFS_ARCH:-amd64)/registry.example/app:1");
    assertThat(link("/.multiarch/amd64/" + IMAGE)).isEqualTo("../../.." + flatPath("a64"));
    assertThat(link("/.multiarch/arm64:v8/" + IMAGE)).isEqualTo("../../.." + flatPath("a8"));
    assertThat(link("/.multiarch/arm64/" + IMAGE)).isEqualTo("../../.." + flatPath("a8"));
    assertThat(link("/.multiarch/arm:v7/" + IMAGE)).isEqualTo("../../.." + flatPath("a7"));
    assertThat(link("/.multiarch/x86_64")).isEqualTo("amd64");
    assertThat(link("/.multiarch/aarch64")).isEqualTo("arm64");
    assertThat(link("/.multiarch/armv7l")).isEqualTo("arm:v7");
    assertThat(repository.entries())
        .containsKeys(
            RepositoryPath.of("/.metadata/.multiarch/arm64:v8/" + IMAGE + "/manifest.json"),
            RepositoryPath.of("/.metadata/" + IMAGE + "/thin.json"));
  }

  @Test
  void leavesOutMergedTreesWhereTheRepositoryHasNone() {
    coordinator =
        new RepositoryCoordinator(
            REPOSITORY, new CoordinatorSettings(false, 10, 10), TestEvents.THIN);
    publish(plan("a", IMAGE, platform("linux/amd64", "a", "x")));

    assertThat(status("a").state()).isEqualTo(State.DONE);
    assertThat(repository.entries()).doesNotContainKey(RepositoryPath.of("/" + IMAGE));
    assertThat(repository.transactions()).hasSize(1);
  }

  @Test
  void refusesRequestsOverItsBound() {
    coordinator =
        new RepositoryCoordinator(
            REPOSITORY, new CoordinatorSettings(true, 1, 10), TestEvents.THIN);
    batch(
        plan("a", "r.example/a:1", platform("linux/amd64", "a", "x")),
        plan("b", "r.example/b:1", platform("linux/amd64", "b", "y")));

    assertThat(states())
        .containsOnly(Map.entry("a", State.PUBLISHING), Map.entry("b", State.FAILED));
    assertThat(status("b").detail().orElseThrow()).contains("1 unfinished requests");
  }

  @Test
  void asksForALayerAgainThatAnotherToolPublished() {
    repository.commit(
        List.of(
            new Step(
                "layer",
                List.of(
                    new CatalogChange.Attach(
                        TestEvents.graft(RepositoryLayout.layer(digest("x").hex())))),
                List.of(),
                List.of(),
                List.of(),
                0)));

    assertThat(layersIn(batch(plan("a", IMAGE, platform("linux/amd64", "a", "x")))))
        .containsExactly(layer("x"));
  }

  @Test
  void refusesEventsThatAreNotForIt() {
    Event.Work work = batch(upload("d", "x")).getFirst();

    assertThatThrownBy(() -> coordinator.accept(work, repository, NOW))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("LayerRequested is not an event for publishers");
  }

  @Test
  void usesALayerThatIsHeldForAnotherRequest() {
    List<Event.Work> first =
        batch(plan("a", "r.example/a:1", platform("linux/amd64", "a", "x", "y")));
    batch(answer(first.get(0)));

    List<Event.Work> second = batch(plan("b", "r.example/b:1", platform("linux/amd64", "b", "x")));
    assertThat(second).hasSize(1).first().isInstanceOf(Event.FlatRequested.class);
    finish(second);

    assertThat(states()).containsOnly(Map.entry("a", State.PUBLISHING), Map.entry("b", State.DONE));
    assertThat(paths(repository.transactions().getFirst()))
        .contains(layerPath("x"), "/r.example/b:1")
        .doesNotContain(layerPath("y"));
    finish(first.subList(1, 2));
    assertThat(status("a").state()).isEqualTo(State.DONE);
    assertThat(paths(repository.transactions().getLast()))
        .contains(layerPath("y"), "/r.example/a:1")
        .doesNotContain(layerPath("x"));
  }

  @Test
  void countsAHeldLayerAsOutstandingUntilItIsShown() {
    List<Event.Work> work = batch(plan("a", IMAGE, platform("linux/amd64", "a", "x", "y")));
    batch(answer(work.get(0)));

    assertThat(status("a").state()).isEqualTo(State.PUBLISHING);
    assertThat(status("a").work())
        .containsExactly(
            NeededTrees.layer(digest("x")),
            NeededTrees.layer(digest("y")),
            NeededTrees.flat(digest("config of a")));
    finish(work.subList(1, 2));
    assertThat(status("a").work()).isEmpty();
  }

  @Test
  void leavesNothingOfAnImageThatFailed() {
    List<Event.Work> work = batch(plan("a", IMAGE, platform("linux/amd64", "a", "x", "bad")));
    batch(answer(work.get(0)));
    assertThat(notes).containsKey("layer/" + digest("x").hex());
    batch(failure(work.get(1), "the blob is gone"));

    assertThat(status("a").state()).isEqualTo(State.FAILED);
    assertThat(repository.transactions()).isEmpty();
    assertThat(notes.values()).singleElement().isInstanceOf(Event.FailedRequest.class);
  }

  @Test
  void takesRequestsUpAgainWhenTheWorkThatFailedThemIsTriedAgain() {
    List<Event.Work> work = batch(plan("a", IMAGE, platform("linux/amd64", "a", "x", "y")));
    Event.Work y = work.get(1);
    batch(failure(y, "the disk was full"), answer(work.get(0)));
    assertThat(status("a").state()).isEqualTo(State.FAILED);
    restart();

    List<Event.Work> again = batch(retried(y));

    assertThat(status("a").state()).isEqualTo(State.PUBLISHING);
    assertThat(layersIn(again)).as("y is in the queue already").containsExactly(layer("x"));
    assertThat(notes).doesNotContainKey("failed/a");
    List<Event.Work> flat = batch(answer(again.getFirst()), answer(y));
    finish(flat);
    assertThat(status("a").state()).isEqualTo(State.DONE);
    assertThat(notes).isEmpty();
  }

  @Test
  void asksAgainWhereTheOrderItselfWasNotPutBack() {
    List<Event.Work> work = batch(upload("d", "x"));
    batch(failure(work.getFirst(), "unreadable"));

    List<Event.Work> again =
        batch(new Event.WorkRetried(REPOSITORY, work.getFirst().work(), Optional.empty()));

    assertThat(again).containsExactly(work.getFirst());
    finish(again);
    assertThat(status("d").state()).isEqualTo(State.DONE);
  }

  @Test
  void pushesOnlyTheThinImageAgainIfOnlyThatFailed() {
    List<Event.Work> thin = new ArrayList<>();
    List<Event.Work> open =
        batch(withThin(plan("a", IMAGE, platform("linux/amd64", "a", "x")), "t.example/a:1"));
    while (thin.isEmpty()) {
      open = batch(open.stream().map(TestEvents::answer).toArray(Event[]::new));
      open.stream().filter(Event.ThinRequested.class::isInstance).forEach(thin::add);
    }
    batch(failure(thin.getFirst(), "no credentials"));
    int transactions = repository.transactions().size();

    assertThat(batch(retried(thin.getFirst()))).isEmpty();
    batch(answer(thin.getFirst()));

    assertThat(status("a").state()).isEqualTo(State.DONE);
    assertThat(status("a").revision()).contains(1L);
    assertThat(repository.transactions()).hasSize(transactions);
  }

  @Test
  void doesNotLetARetryReplaceANewerImage() {
    List<Event.Work> old = batch(plan("a", IMAGE, platform("linux/amd64", "a", "x")));
    batch(failure(old.getFirst(), "gone"));
    publish(plan("b", IMAGE, platform("linux/amd64", "b", "y")));

    assertThat(batch(retried(old.getFirst()))).isEmpty();

    assertThat(status("a").state()).isEqualTo(State.FAILED);
    assertThat(link("/" + IMAGE)).isEqualTo(".." + flatPath("b"));
    assertThat(notes).isEmpty();
  }

  @Test
  void ignoresARetryOfWorkThatNobodyFailedBy() {
    List<Event.Work> work = batch(plan("a", IMAGE, platform("linux/amd64", "a", "x")));

    assertThat(batch(retried(work.getFirst()))).isEmpty();

    finish(work);
    assertThat(status("a").state()).isEqualTo(State.DONE);
    assertThat(notes).isEmpty();
  }

  @Test
  void saysWhenNobodyAsksForTheProgressOfWorkAnyMore() {
    List<Event.Work> first = batch(plan("a", IMAGE, platform("linux/amd64", "a", "x", "y")));
    batch(plan("b", "r.example/b:1", platform("linux/amd64", "b", "y")));
    assertThat(idle).isEmpty();

    batch(answer(first.getFirst()));
    assertThat(idle).as("a still shows it").isEmpty();
    batch(cancel("a"));
    assertThat(idle).contains(first.getFirst().work()).doesNotContain(first.get(1).work());
    finish(batch(answer(first.get(1))));
    assertThat(idle).contains(first.get(1).work());
  }

  @Test
  void saysThatAnAnswerToCancelledWorkIsTheLastOfIt() {
    List<Event.Work> work = batch(plan("a", IMAGE, platform("linux/amd64", "a", "x")));
    batch(cancel("a"));
    assertThat(idle).as("it still reports").doesNotContain(work.getFirst().work());

    batch(answer(work.getFirst()));

    assertThat(idle).contains(work.getFirst().work());
  }

  @Test
  void remembersHeldLayersAndMergedTreesOverARestart() {
    List<Event.Work> work =
        batch(
            plan(
                "a",
                IMAGE,
                platform("linux/amd64", "a64", "x"),
                platform("linux/arm64", "a8", "y")));
    List<Event.Work> flat = batch(answer(work.get(0)));
    batch(answer(flat.getFirst()));
    restart();
    List<Event.Work> last = batch(answer(work.get(1)));
    restart();
    finish(last);

    assertThat(status("a").state()).isEqualTo(State.DONE);
    assertThat(repository.transactions()).hasSize(1);
    assertThat(paths(repository.transactions().getFirst()))
        .contains(layerPath("x"), layerPath("y"), flatPath("a64"), flatPath("a8"));
    assertThat(notes).isEmpty();
  }

  @Test
  void dropsNotesOfLayersThatWereCommittedBeforeACrash() {
    List<Event.Work> layer = batch(plan("a", IMAGE, platform("linux/amd64", "a", "x")));
    List<Event.Work> flat = batch(answer(layer.getFirst()));
    Event merged = answer(flat.getFirst());
    coordinator.accept(merged, repository, NOW);
    repository.commit(coordinator.steps(repository));
    restart();

    batch(merged);

    assertThat(status("a").state()).isEqualTo(State.DONE);
    assertThat(repository.transactions()).hasSize(1);
    assertThat(notes).isEmpty();
  }

  @Test
  void keepsTheFirstOfTwoResultsForALayer() {
    List<Event.Work> work = batch(plan("a", IMAGE, platform("linux/amd64", "a", "x", "y")));
    Event.LayerConverted first = (Event.LayerConverted) answer(work.get(0));
    Graft other =
        new Graft(
            first.graft().path(), hash("other"), 1, first.graft().root(), first.graft().total());
    batch(first);
    batch(new Event.LayerConverted(REPOSITORY, first.layer(), other, first.figures()));
    List<Event.Work> flat = batch(answer(work.get(1)));
    finish(flat);
    batch(first);

    assertThat(((Event.FlatRequested) flat.getFirst()).layers().getFirst().catalog())
        .isEqualTo(first.graft().catalog());
    assertThat(repository.entries())
        .containsEntry(first.graft().path(), new CatalogChange.Attach(first.graft()));
    assertThat(repository.transactions()).hasSize(1);
    assertThat(notes).isEmpty();
  }

  @Test
  void holdsALayerAsLongAsOneOfItsRequestsIsUnfinished() {
    List<Event.Work> work =
        batch(
            plan("a", "r.example/a:1", platform("linux/amd64", "a", "x", "y")),
            plan("b", "r.example/b:1", platform("linux/amd64", "b", "x", "z")));
    batch(answer(work.get(0)));

    batch(cancel("a"));
    assertThat(notes).containsKey("layer/" + digest("x").hex());
    restart();
    batch(cancel("b"));
    assertThat(notes.keySet()).allMatch(key -> key.startsWith("work/"));
    batch(answer(work.get(1)), answer(work.get(2)));

    assertThat(notes).isEmpty();
    assertThat(repository.transactions()).isEmpty();
  }

  @Test
  void takesHeldLayersOverFromASupersededRequest() {
    List<Event.Work> old = batch(plan("old", IMAGE, platform("linux/amd64", "v1", "base", "x")));
    batch(answer(old.get(0)));

    List<Event.Work> work = batch(plan("new", IMAGE, platform("linux/amd64", "v2", "base", "y")));

    assertThat(status("old").state()).isEqualTo(State.CANCELLED);
    assertThat(layersIn(work)).containsExactly(layer("y"));
    finish(work);
    assertThat(status("new").state()).isEqualTo(State.DONE);
    assertThat(repository.entries()).doesNotContainKey(RepositoryLayout.layer(digest("x").hex()));
  }

  @Test
  void publishesAnUploadedLayerAtOnceThoughAnImageNeedsItToo() {
    List<Event.Work> work = batch(plan("a", IMAGE, platform("linux/amd64", "a", "x", "y")));
    batch(answer(work.get(0)));
    assertThat(repository.transactions()).isEmpty();

    assertThat(batch(upload("d", "x"))).isEmpty();

    assertThat(status("d").state()).isEqualTo(State.DONE);
    assertThat(status("d").revision()).contains(1L);
    assertThat(paths(repository.transactions().getFirst()))
        .containsExactly(diffIdPath("x"), layerPath("x"));
    finish(work.subList(1, 2));
    assertThat(status("a").state()).isEqualTo(State.DONE);
    assertThat(paths(repository.transactions().getLast())).doesNotContain(layerPath("x"));
  }

  @Test
  void failsTheImagesOfARefusedLayerAndShowsNothingOfThem() {
    repository.refused.add(RepositoryLayout.layer(digest("bad").hex()));
    finish(
        batch(
            plan("a", "r.example/a:1", platform("linux/amd64", "a", "x", "bad")),
            plan("b", "r.example/b:1", platform("linux/amd64", "b", "y", "bad")),
            plan("c", "r.example/c:1", platform("linux/amd64", "c", "y"))));

    assertThat(states())
        .containsOnly(
            Map.entry("a", State.FAILED), Map.entry("b", State.FAILED), Map.entry("c", State.DONE));
    assertThat(repository.layer(digest("x"))).isEmpty();
    assertThat(repository.layer(digest("y"))).isPresent();
    assertThat(notes).isEmpty();
  }

  @Test
  void refusesAnImageWhoseConfigContradictsAHeldLayer() {
    List<Event.Work> work = batch(plan("a", IMAGE, platform("linux/amd64", "a", "x", "y")));
    batch(answer(work.get(0)));
    LayerDescriptor liar = new LayerDescriptor(layer("x").blob(), digest("something else"));

    batch(new Event.DiffCommitRequested(new RequestId("d"), REPOSITORY, liar, NOW));

    assertThat(status("d").state()).isEqualTo(State.FAILED);
    assertThat(status("d").detail().orElseThrow()).contains("but the image's config says");
    finish(work.subList(1, 2));
    assertThat(status("a").state()).isEqualTo(State.DONE);
  }

  @Test
  void commitsTheSameInTheSameOrderWhateverCameFirst() {
    Event.ImagePlanned a = plan("a", "r.example/a:1", platform("linux/amd64", "a", "x", "y"));
    Event.ImagePlanned b = plan("b", "r.example/b:1", platform("linux/amd64", "b", "y", "z"));
    List<List<CatalogChange>> one = transactionsAfter(List.of(a, b), false);
    List<List<CatalogChange>> other = transactionsAfter(List.of(b, a), true);

    assertThat(one).hasSize(1);
    assertThat(paths(other.getFirst())).isEqualTo(paths(one.getFirst()));
    assertThat(paths(one.getFirst())).containsSubsequence("/r.example/a:1", "/r.example/b:1");
  }

  private static List<List<CatalogChange>> transactionsAfter(List<Event> plans, boolean backwards) {
    RepositoryCoordinatorTest world = new RepositoryCoordinatorTest();
    List<Event.Work> open = world.batch(plans.toArray(Event[]::new));
    while (!open.isEmpty()) {
      List<Event> answers = new ArrayList<>(open.stream().map(TestEvents::answer).toList());
      open = world.batch((backwards ? answers.reversed() : answers).toArray(Event[]::new));
    }
    return world.repository.transactions();
  }

  @Test
  void recordsWhenTheRequestsWereAcceptedAndNoOtherTime() {
    Event.ImagePlanned a = plan("a", IMAGE, platform("linux/amd64", "a", "x"));
    Instant accepted = Instant.ofEpochSecond(1_000);
    List<Event.Work> layer = batch(TestEvents.at(a, accepted, NOW));
    batch(
        TestEvents.at(
            plan("later", IMAGE, platform("linux/amd64", "a", "x")), accepted.plusSeconds(5), NOW));
    List<Event.Work> flat = batch(answer(layer.getFirst()));
    coordinator.accept(answer(flat.getFirst()), repository, NOW);

    assertThat(((Event.LayerRequested) layer.getFirst()).timestampSeconds()).isEqualTo(1_000);
    assertThat(((Event.FlatRequested) flat.getFirst()).timestampSeconds()).isEqualTo(1_000);
    assertThat(coordinator.steps(repository))
        .extracting(Step::timestampSeconds)
        .containsExactly(1_000L);
  }

  @Test
  void refusesRequestsThatWouldNeedTooManyLayersAtOnce() {
    coordinator =
        new RepositoryCoordinator(
            REPOSITORY, new CoordinatorSettings(true, 10, 4), TestEvents.THIN);
    List<Event.Work> work =
        batch(
            plan("a", "r.example/a:1", platform("linux/amd64", "a", "x", "y")),
            plan("b", "r.example/b:1", platform("linux/amd64", "b", "y", "z")),
            upload("c", "y"));

    assertThat(states())
        .containsOnly(
            Map.entry("a", State.PUBLISHING),
            Map.entry("b", State.FAILED),
            Map.entry("c", State.PUBLISHING));
    assertThat(status("b").detail().orElseThrow()).contains("4 layers and merged trees");
    finish(work);
    batch(plan("b", "r.example/b:1", platform("linux/amd64", "b", "y", "z")));
    assertThat(status("b").state()).isEqualTo(State.PUBLISHING);
  }

  // ---- removals -----------------------------------------------------------------------------

  @Test
  void takesAnImageAwayWithWhatNoOtherOneRefersTo() {
    publish(plan("a", "r.example/a:1", platform("linux/amd64", "a", "x", "y")));
    publish(plan("b", "r.example/b:1", platform("linux/amd64", "b", "y")));
    refer("r.example/a:1", "a", "x", "y");
    refer("r.example/b:1", "b", "y");
    int before = repository.transactions().size();

    batch(TestEvents.removal("r", "r.example/a:1"));

    assertThat(repository.transactions()).hasSize(before + 1);
    assertThat(paths(repository.transactions().getLast()))
        .containsExactly(
            "/.metadata/r.example/a:1",
            "/r.example/a:1",
            flatPath("a"),
            RepositoryLayout.layerFolder(digest("x").hex()).toString());
    assertThat(status("r").state()).isEqualTo(State.DONE);
    assertThat(status("r").kind()).isEqualTo(Event.RequestStatus.Kind.REMOVAL);
    assertThat(status("r").revision()).contains((long) before + 1);
    assertThat(notes).isEmpty();
    assertThat(coordinator.isIdle()).isTrue();
  }

  @Test
  void saysThatThereWasNothingToRemove() {
    batch(TestEvents.removal("r", "r.example/a:1"));

    assertThat(repository.transactions()).isEmpty();
    assertThat(status("r").state()).isEqualTo(State.DONE);
    assertThat(status("r").detail()).contains("there was nothing to remove");
  }

  @Test
  void keepsTreesThatAnUnfinishedRequestNeeds() {
    publish(plan("a", "r.example/a:1", platform("linux/amd64", "a", "x")));
    refer("r.example/a:1", "a", "x");
    List<Event.Work> work =
        batch(plan("b", "r.example/b:1", platform("linux/amd64", "b", "x", "z")));

    batch(TestEvents.removal("r", "r.example/a:1"));

    assertThat(repository.entries()).containsKey(RepositoryPath.of(layerPath("x")));
    assertThat(repository.entries()).doesNotContainKey(RepositoryPath.of(flatPath("a")));
    finish(work);
    assertThat(status("b").state()).isEqualTo(State.DONE);
  }

  @Test
  void cancelsWhatWasAskedForUnderTheNameBefore() {
    batch(plan("a", IMAGE, platform("linux/amd64", "a", "x")));

    batch(TestEvents.removal("r", "registry.example/app:*"));

    assertThat(status("a").state()).isEqualTo(State.CANCELLED);
    assertThat(status("a").detail()).contains("superseded by request r");
    assertThat(coordinator.isIdle()).isFalse(); // the layer's conversion is under way
    assertThat(notes.keySet()).noneMatch(key -> key.startsWith("request/"));
  }

  @Test
  void showsAnImageThatWasAskedForAfterTheRemovalOfItsName() {
    publish(plan("a", IMAGE, platform("linux/amd64", "a", "x")));
    refer(IMAGE, "a", "x");

    batch(TestEvents.removal("r", IMAGE), plan("again", IMAGE, platform("linux/amd64", "a", "x")));

    assertThat(status("r").state()).isEqualTo(State.DONE);
    assertThat(status("again").state()).isEqualTo(State.DONE);
    assertThat(link("/" + IMAGE)).isEqualTo(".." + flatPath("a"));
    assertThat(repository.entries()).containsKey(RepositoryPath.of(layerPath("x")));
  }

  @Test
  void removesWhatTwoRemovedImagesShareWithTheSecond() {
    publish(plan("a", "r.example/a:1", platform("linux/amd64", "a", "x")));
    publish(plan("b", "r.example/a:2", platform("linux/amd64", "b", "x")));
    refer("r.example/a:1", "a", "x");
    refer("r.example/a:2", "b", "x");

    batch(TestEvents.removal("r1", "r.example/a:1"), TestEvents.removal("r2", "r.example/a:2"));

    assertThat(repository.entries()).isEmpty();
  }

  @Test
  void doesNotRemoveAgainWhatAnOwnerHadRemovedBeforeItDied() {
    publish(plan("a", IMAGE, platform("linux/amd64", "a", "x")));

    coordinator.publishedBefore(Map.of(new RequestId("r"), 7L));
    batch(TestEvents.removal("r", IMAGE));

    assertThat(link("/" + IMAGE)).isEqualTo(".." + flatPath("a"));
    assertThat(status("r").state()).isEqualTo(State.DONE);
    assertThat(status("r").revision()).contains(7L);
  }

  @Test
  void refusesRemovalsOfNamesThatNothingCanHave() {
    batch(TestEvents.removal("r", "../.layers"));

    assertThat(status("r").state()).isEqualTo(State.FAILED);
    assertThat(status("r").detail().orElseThrow()).contains("'../.layers'");
  }

  @Test
  void keepsByRuleTheLatestOfEachNameAndWhatIsYoung() {
    for (int i = 1; i <= 4; i++) {
      publish(plan("a" + i, "r.example/a:" + i, platform("linux/amd64", "a" + i, "x" + i)));
      repository.publishedAt.put("r.example/a:" + i, NOW.getEpochSecond() - i * 1_000);
    }
    publish(plan("b", "r.example/b:1", platform("linux/amd64", "b", "y")));
    publish(plan("o", "other.example/a:1", platform("linux/amd64", "o", "z")));

    batch(TestEvents.rule("dry", "r.example/*", new Retention(1, Optional.of(2_500L), true)));
    assertThat(status("dry").detail())
        .contains("would remove 2 images: r.example/a:3, r.example/a:4");
    assertThat(repository.images("", Event.RemovalRequested.Scope.ALL)).hasSize(6);
    batch(TestEvents.rule("rule", "r.example/*", new Retention(1, Optional.of(2_500L), false)));

    assertThat(status("rule").state()).isEqualTo(State.DONE);
    assertThat(status("rule").detail()).contains("removed 2 images: r.example/a:3, r.example/a:4");
    assertThat(repository.images("", Event.RemovalRequested.Scope.ALL))
        .containsExactly("other.example/a:1", "r.example/a:1", "r.example/a:2", "r.example/b:1");
  }

  @Test
  void takesAbandonedTreesAwayWithACollectionUnlessSomebodyNeedsThem() {
    publish(plan("a", "r.example/a:1", platform("linux/amd64", "a", "x", "y")));
    batch(plan("b", "r.example/b:1", platform("linux/amd64", "b", "y", "z")));
    for (String layer : List.of("x", "y")) {
      repository.abandoned.add(new WorkKey(WorkKey.Kind.LAYER, digest(layer).hex()));
    }
    int before = repository.transactions().size();

    batch(collection("c", false));
    batch(cancel("nobody"));

    assertThat(repository.transactions()).hasSize(before + 1);
    assertThat(paths(repository.transactions().getLast()))
        .containsExactly(RepositoryLayout.layerFolder(digest("x").hex()).toString());
    assertThat(coordinator.collections()).hasSize(1);
  }

  // ---- collections --------------------------------------------------------------------------

  @Test
  void tellsWhatUnfinishedRequestsReferTo() {
    List<Event.Work> layers = batch(plan("a", IMAGE, platform("linux/amd64", "a", "x", "y")));
    batch(answer(layers.get(0)));

    assertThat(coordinator.references().catalogs())
        .containsExactly(hash("catalog of " + layerPath("x")));
    assertThat(coordinator.references().objects())
        .containsExactlyInAnyOrder(hash("manifest of a"), hash("config of a"));
    batch(answer(layers.get(1)));
    assertThat(coordinator.references().catalogs())
        .containsExactlyInAnyOrder(
            hash("catalog of " + layerPath("x")), hash("catalog of " + layerPath("y")));
    restart();
    assertThat(coordinator.references().catalogs()).hasSize(2);
    batch(cancel("a"));
    assertThat(coordinator.references().objects())
        .as("of the merge that is under way")
        .containsExactly(hash("config of a"));
  }

  @Test
  void keepsWhatARequestNeedsThatMayBeTriedAgain() {
    List<Event.Work> layers = batch(plan("a", IMAGE, platform("linux/amd64", "a", "x")));
    batch(failure(layers.getFirst(), "gone"));

    assertThat(coordinator.references().objects())
        .containsExactlyInAnyOrder(hash("manifest of a"), hash("config of a"));
  }

  @Test
  void doesOneCollectionOfAKindAtATimeAndSaysItsEnd() {
    batch(collection("c", false), collection("second", false), collection("dry", true));

    assertThat(coordinator.collections())
        .extracting(asked -> asked.request().value())
        .containsExactly("c", "dry");
    assertThat(status("second").state()).isEqualTo(State.CANCELLED);
    assertThat(status("c").state()).isEqualTo(State.PUBLISHING);
    restart();
    assertThat(coordinator.collections()).hasSize(2);
    batch(
        new Event.CollectionFinished(REPOSITORY, new RequestId("c"), true, "removed 2 objects"),
        new Event.CollectionFinished(REPOSITORY, new RequestId("dry"), false, "damaged"));
    assertThat(status("c").state()).isEqualTo(State.DONE);
    assertThat(status("c").detail()).contains("removed 2 objects");
    assertThat(status("dry").state()).isEqualTo(State.FAILED);
    assertThat(coordinator.collections()).isEmpty();
    assertThat(notes).isEmpty();
  }

  private static Event collection(String request, boolean dryRun) {
    return new Event.CollectionRequested(
        new RequestId(request), REPOSITORY, dryRun, NOW, Optional.empty());
  }

  /** What the image refers to: its merged tree and its layers. */
  private void refer(String name, String image, String... layers) {
    Set<WorkKey> trees = new LinkedHashSet<>();
    trees.add(new WorkKey(WorkKey.Kind.FLAT, digest("config of " + image).hex()));
    for (String layer : layers) {
      trees.add(new WorkKey(WorkKey.Kind.LAYER, digest(layer).hex()));
    }
    repository.treesOf.put(name, trees);
  }

  // ---- other sites --------------------------------------------------------------------------

  @Test
  void showsEachTransactionOfAnotherSiteOnceAndInItsOrder() {
    batch(followed(1, 1, "one"), followed(1, 2, "two"));
    batch(followed(1, 2, "two"), followed(1, 1, "one"), followed(1, 3, "three"));
    restart();
    batch(followed(1, 3, "three"), followed(1, 2, "two"));

    assertThat(link("/" + IMAGE)).isEqualTo("three");
    assertThat(repository.transactions()).hasSize(2);
    assertThat(notes.values())
        .containsExactly(new Event.FollowedPosition(REPOSITORY, origin(1, 3, "three")));
    assertThat(statuses).isEmpty();
  }

  @Test
  void followsAnewInANewRoundAndNoOlderOneAfterIt() {
    batch(followed(1, 7, "seven"));
    batch(followed(2, 1, "one"));
    batch(followed(1, 8, "eight"));

    assertThat(link("/" + IMAGE)).isEqualTo("one");
  }

  @Test
  void refusesTwoHistoriesOfAnotherSite() {
    batch(followed(1, 7, "seven"));

    assertThatThrownBy(() -> batch(followed(1, 7, "other")))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("two revisions 7");
  }

  @Test
  void saysWhatOfAnotherSiteCannotBeShownAndGoesOn() {
    repository.refused.add(RepositoryPath.of("/" + IMAGE));
    Event.TransactionFollowed first = followed(1, 1, "one");
    batch(first);
    assertThat(coordinator.refusedOfSites()).containsOnlyKeys(first);
    repository.refused.clear();

    batch(followed(1, 2, "two"));

    assertThat(coordinator.refusedOfSites()).isEmpty();
    assertThat(link("/" + IMAGE)).isEqualTo("two");
  }

  private static Event.TransactionFollowed followed(int round, long revision, String target) {
    return new Event.TransactionFollowed(
        REPOSITORY,
        origin(round, revision, target),
        NOW.getEpochSecond(),
        List.of(new CatalogChange.PutSymlink(RepositoryPath.of("/" + IMAGE), target)));
  }

  private static SiteOrigin origin(int round, long revision, String root) {
    return new SiteOrigin("geneva", round, new RepositoryName("a.example"), revision, hash(root));
  }

  // ---- the world around the coordinator -----------------------------------------------------

  private List<Event.Work> batch(Event... events) {
    for (Event event : events) {
      coordinator.accept(event, repository, NOW);
    }
    Map<String, Step.Result> results = repository.commit(coordinator.steps(repository));
    Decisions decisions =
        coordinator.settle(results, repository, repository.revision(), Map.of(), NOW);
    decisions.statuses().forEach(s -> statuses.put(s.request(), s));
    idle.addAll(decisions.idle());
    decisions
        .notes()
        .forEach(
            (key, note) -> note.ifPresentOrElse(n -> notes.put(key, n), () -> notes.remove(key)));
    spent.addAll(decisions.spent());
    return decisions.work();
  }

  private static Event retried(Event.Work work) {
    return new Event.WorkRetried(REPOSITORY, work.work(), Optional.of(work));
  }

  private void publish(Event.ImagePlanned plan) {
    finish(batch(plan));
  }

  private void finish(List<Event.Work> work) {
    List<Event.Work> open = work;
    for (int round = 0; !open.isEmpty() && round < 10; round++) {
      open = batch(open.stream().map(TestEvents::answer).toArray(Event[]::new));
    }
    assertThat(open).isEmpty();
  }

  private void restart() {
    coordinator =
        new RepositoryCoordinator(REPOSITORY, CoordinatorSettings.DEFAULT, TestEvents.THIN);
    coordinator.restore(new ArrayList<>(notes.values()), repository, NOW);
  }

  private Event.RequestStatus status(String request) {
    return Objects.requireNonNull(statuses.get(new RequestId(request)), request);
  }

  private Map<String, State> states() {
    Map<String, State> states = new LinkedHashMap<>();
    statuses.forEach((id, s) -> states.put(id.value(), s.state()));
    return states;
  }

  private String link(String path) {
    CatalogChange entry = repository.entries().get(RepositoryPath.of(path));
    return entry instanceof CatalogChange.PutSymlink symlink ? symlink.target() : "no link";
  }

  private static List<LayerDescriptor> layersIn(List<Event.Work> work) {
    return work.stream().map(w -> ((Event.LayerRequested) w).layer()).toList();
  }

  private static List<String> paths(List<CatalogChange> changes) {
    return changes.stream().map(change -> change.path().toString()).toList();
  }

  private static String layerPath(String name) {
    return RepositoryLayout.layer(digest(name).hex()).toString();
  }

  private static String diffIdPath(String name) {
    return RepositoryLayout.layerDiffId(digest(name).hex()).toString();
  }

  private static String flatPath(String image) {
    return RepositoryLayout.flat(digest("config of " + image).hex()).toString();
  }
}
