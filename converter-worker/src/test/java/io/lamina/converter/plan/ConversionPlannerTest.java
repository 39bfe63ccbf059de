package io.lamina.converter.plan;

import static io.lamina.converter.SampleImages.digest;
import static io.lamina.converter.SampleImages.image;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.lamina.converter.Backoff;
import io.lamina.converter.FakeClock;
import io.lamina.converter.FakeImages;
import io.lamina.cvmfs.RepositoryName;
import io.lamina.image.Digest;
import io.lamina.image.ImageException;
import io.lamina.image.Platform;
import io.lamina.image.ResolvedImage;
import io.lamina.image.policy.ImagePolicy;
import io.lamina.messaging.event.Event.ConversionRequested;
import io.lamina.messaging.event.Event.RequestStatus;
import io.lamina.messaging.event.PlannedPlatform;
import io.lamina.messaging.event.RequestId;
import io.lamina.messaging.event.WorkKey;
import io.lamina.storage.StorageException;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(30)
class ConversionPlannerTest {
  private static final RepositoryName REPOSITORY = new RepositoryName("images.example.org");
  private static final Instant ACCEPTED = Instant.parse("2026-01-02T03:04:05Z");
  private static final Platform ARM64 = Platform.parse("linux/arm64");

  private final FakeImages registry = new FakeImages();
  private final InMemoryPlanFiles files = new InMemoryPlanFiles(REPOSITORY);
  private final List<Duration> pauses = new ArrayList<>();
  private final FakeClock clock = new FakeClock(Instant.parse("2026-01-02T04:00:00Z"));

  private static PlannerSettings settings() {
    return new PlannerSettings(
        4,
        2,
        2,
        Duration.ofSeconds(20),
        new Backoff(4, Duration.ofSeconds(1), Duration.ofMinutes(1)),
        2,
        10,
        Duration.ofMinutes(10),
        1 << 20);
  }

  private ConversionPlanner planner() {
    return planner(settings());
  }

  private ConversionPlanner planner(PlannerSettings settings) {
    return planner(settings, Admission.OPEN);
  }

  private ConversionPlanner planner(PlannerSettings settings, Admission admission) {
    return new ConversionPlanner(
        registry,
        files,
        settings,
        admission,
        clock,
        new Random(1),
        pauses::add,
        new SimpleMeterRegistry());
  }

  private static ConversionRequested request(String image, Platform... platforms) {
    return new ConversionRequested(
        new RequestId("r1"),
        REPOSITORY,
        image,
        List.of(platforms),
        Optional.of("docker://registry.example.org/thin/app:1"),
        ACCEPTED);
  }

  private void publish(String place, String tag, Digest top, ResolvedImage... images) {
    registry.tag(place, tag, top);
    for (ResolvedImage image : images) {
      registry.image(top, image);
    }
  }

  @Test
  void plansEveryPlatformAndStoresTheRegistrysOwnBytes() throws Exception {
    ResolvedImage amd64 = image(Platform.LINUX_AMD64, "app", "base", "app");
    ResolvedImage arm64 = image(ARM64, "app", "base-arm", "app");
    publish("hub.example.org/app", "1", digest("index"), amd64, arm64);

    Plan plan =
        planner().plan(request("docker://hub.example.org/app:1", Platform.LINUX_AMD64, ARM64));

    assertThat(plan).isInstanceOf(Plan.Ready.class);
    var planned = ((Plan.Ready) plan).image();
    assertThat(planned.publicName()).isEqualTo("hub.example.org/app:1");
    assertThat(planned.acceptedAt()).isEqualTo(ACCEPTED);
    assertThat(planned.plannedAt()).isEqualTo(clock.instant());
    assertThat(planned.thinTarget()).contains("docker://registry.example.org/thin/app:1");
    assertThat(planned.platforms())
        .extracting(PlannedPlatform::platform)
        .containsExactly(Platform.LINUX_AMD64, ARM64);
    PlannedPlatform first = planned.platforms().getFirst();
    assertThat(files.durable.get(first.manifest().object())).isEqualTo(amd64.manifestBytes());
    assertThat(files.durable.get(first.config().object())).isEqualTo(amd64.configBytes());
    assertThat(first.imageId()).isEqualTo(amd64.config().digest());
    assertThat(first.layers()).isEqualTo(amd64.layers());
    assertThat(first.foreignLayers()).containsExactly(digest("foreign"));
    assertThat(plan.status().state()).isEqualTo(RequestStatus.State.PLANNED);
    assertThat(plan.status().acceptedAt()).isEqualTo(ACCEPTED);
    assertThat(plan.status().work())
        .containsExactly(
            new WorkKey(WorkKey.Kind.LAYER, digest("base").hex()),
            new WorkKey(WorkKey.Kind.LAYER, digest("app").hex()),
            new WorkKey(WorkKey.Kind.FLAT, amd64.config().digest().hex()),
            new WorkKey(WorkKey.Kind.LAYER, digest("base-arm").hex()),
            new WorkKey(WorkKey.Kind.FLAT, arm64.config().digest().hex()));
  }

  @Test
  void fetchesNoManifestTwiceWhileTheTagStaysWhereItIs() throws Exception {
    publish("hub.example.org/app", "1", digest("v1"), image(Platform.LINUX_AMD64, "app", "base"));
    ConversionPlanner planner = planner();
    var request = request("docker://hub.example.org/app:1", Platform.LINUX_AMD64);

    Plan first = planner.plan(request);
    Plan second = planner.plan(request);

    assertThat(((Plan.Ready) second).image()).isEqualTo(((Plan.Ready) first).image());
    assertThat(registry.askedSoFar())
        .containsExactly(
            "head hub.example.org/app:1",
            "resolve hub.example.org/app@" + digest("v1") + " linux/amd64",
            "head hub.example.org/app:1");
  }

  @Test
  void resolvesByTagWhenTheRegistryCannotTellItsDigest() throws Exception {
    publish("hub.example.org/app", "1", digest("v1"), image(Platform.LINUX_AMD64, "app", "base"));
    registry.failNextHead(new ImageException.Retryable("out of reach, mirrors answer", null, null));

    Plan plan = planner().plan(request("docker://hub.example.org/app:1", Platform.LINUX_AMD64));

    assertThat(plan).isInstanceOf(Plan.Ready.class);
    assertThat(pauses).isEmpty();
  }

  @Test
  void seesAtOnceThatATagHasMoved() throws Exception {
    publish("hub.example.org/app", "1", digest("v1"), image(Platform.LINUX_AMD64, "old", "base"));
    ConversionPlanner planner = planner();
    var request = request("docker://hub.example.org/app:1", Platform.LINUX_AMD64);
    planner.plan(request);

    ResolvedImage moved = image(Platform.LINUX_AMD64, "new", "base");
    publish("hub.example.org/app", "1", digest("v2"), moved);
    Plan plan = planner.plan(request);

    assertThat(((Plan.Ready) plan).image().platforms().getFirst().imageId())
        .isEqualTo(moved.config().digest());
  }

  @Test
  void fetchesManifestsAnewAfterAWhile() throws Exception {
    publish("hub.example.org/app", "1", digest("v1"), image(Platform.LINUX_AMD64, "app", "base"));
    ConversionPlanner planner = planner();
    var request = request("docker://hub.example.org/app:1", Platform.LINUX_AMD64);
    planner.plan(request);

    clock.advance(Duration.ofMinutes(10));
    planner.plan(request);

    assertThat(registry.askedSoFar()).filteredOn(line -> line.startsWith("resolve")).hasSize(2);
  }

  @Test
  void doesNotShareManifestsBetweenRepositoriesOfARegistry() throws Exception {
    ResolvedImage app = image(Platform.LINUX_AMD64, "app", "base");
    publish("hub.example.org/open", "1", digest("v1"), app);
    publish("hub.example.org/secret", "1", digest("v1"), app);
    ConversionPlanner planner = planner();

    planner.plan(request("docker://hub.example.org/open:1", Platform.LINUX_AMD64));
    planner.plan(request("docker://hub.example.org/secret:1", Platform.LINUX_AMD64));

    assertThat(registry.askedSoFar()).filteredOn(line -> line.startsWith("resolve")).hasSize(2);
  }

  @Test
  void saysWhichRepositoriesThereAre() throws Exception {
    var request =
        new ConversionRequested(
            new RequestId("r1"),
            new RepositoryName("other.example.org"),
            "docker://hub.example.org/app:1",
            List.of(Platform.LINUX_AMD64),
            Optional.empty(),
            ACCEPTED);

    Plan plan = planner().plan(request);

    assertRefused(plan, "other.example.org", "is not known here; known: images.example.org");
    assertThat(registry.askedSoFar()).isEmpty();
  }

  @Test
  void refusesAnImageThatIsNotThereWithoutAskingTwice() throws Exception {
    Plan plan = planner().plan(request("docker://hub.example.org/app:1", Platform.LINUX_AMD64));

    assertRefused(plan, "no tag hub.example.org/app:1");
    assertThat(pauses).isEmpty();
    assertThat(registry.askedSoFar()).containsExactly("head hub.example.org/app:1");
  }

  @Test
  void refusesAllPlatformsIfOneIsMissing() throws Exception {
    publish("hub.example.org/app", "1", digest("v1"), image(Platform.LINUX_AMD64, "app", "base"));

    Plan plan =
        planner().plan(request("docker://hub.example.org/app:1", Platform.LINUX_AMD64, ARM64));

    assertRefused(plan, "hub.example.org/app has no linux/arm64");
  }

  @Test
  void refusesATextThatIsNoReference() throws Exception {
    assertRefused(
        planner().plan(request("docker://UPPER CASE", Platform.LINUX_AMD64)), "UPPER CASE");
  }

  @Test
  void refusesARequestWithoutPlatforms() throws Exception {
    assertRefused(planner().plan(request("docker://hub.example.org/app:1")), "no platform");
  }

  @Test
  void refusesAPlanThatWouldNotFitIntoARecord() throws Exception {
    String[] layers = new String[11];
    Arrays.setAll(layers, i -> "layer " + i);
    publish("hub.example.org/app", "1", digest("v1"), image(Platform.LINUX_AMD64, "app", layers));

    assertRefused(
        planner().plan(request("docker://hub.example.org/app:1", Platform.LINUX_AMD64)),
        "11 layers",
        "more than 10");
  }

  @Test
  void triesAgainWhenARegistryIsBusyAndWaitsAsLongAsItAsks() throws Exception {
    publish("hub.example.org/app", "1", digest("v1"), image(Platform.LINUX_AMD64, "app", "base"));
    registry.failNext(
        new ImageException.Retryable("429", null, Duration.ofSeconds(42)),
        new ImageException.Retryable("503", null, null));

    Plan plan = planner().plan(request("docker://hub.example.org/app:1", Platform.LINUX_AMD64));

    assertThat(plan).isInstanceOf(Plan.Ready.class);
    assertThat(pauses).hasSize(2);
    assertThat(pauses.get(0)).isEqualTo(Duration.ofSeconds(42));
    assertThat(pauses.get(1)).isBetween(Duration.ofSeconds(1), Duration.ofSeconds(2));
  }

  @Test
  void givesUpAfterTheLastTryAndKeepsTheRequestForPeople() throws Exception {
    publish("hub.example.org/app", "1", digest("v1"), image(Platform.LINUX_AMD64, "app", "base"));
    for (int i = 0; i < 4; i++) {
      registry.failNext(new ImageException.Retryable("hub.example.org: 503", null, null));
    }

    Plan plan = planner().plan(request("docker://hub.example.org/app:1", Platform.LINUX_AMD64));

    assertThat(plan).isInstanceOf(Plan.GivenUp.class);
    assertThat(plan.status().state()).isEqualTo(RequestStatus.State.FAILED);
    assertThat(plan.status().detail().orElseThrow())
        .isEqualTo("gave up after 4 tries: hub.example.org: 503");
    assertThat(pauses).hasSize(3);
  }

  @Test
  void doesNotWaitForARegistryThatAsksForHours() throws Exception {
    publish("hub.example.org/app", "1", digest("v1"), image(Platform.LINUX_AMD64, "app", "base"));
    registry.failNext(new ImageException.Retryable("quota used up", null, Duration.ofHours(6)));

    Plan plan = planner().plan(request("docker://hub.example.org/app:1", Platform.LINUX_AMD64));

    assertThat(plan).isInstanceOf(Plan.GivenUp.class);
    assertThat(plan.status().detail().orElseThrow()).contains("quota used up", "asks to wait 6 h");
    assertThat(pauses).isEmpty();
  }

  @Test
  void asksNoRegistryThatThePolicyForbids() throws Exception {
    ImagePolicy policy =
        ImagePolicy.of(Optional.empty(), Optional.of("hub.example.org"), Optional.of("**"));

    Plan plan =
        planner(settings(), Admission.OPEN.withPolicy(policy))
            .plan(request("docker://hub.example.org/app:1", Platform.LINUX_AMD64));

    assertThat(plan).isInstanceOf(Plan.Refused.class);
    assertThat(plan.status().detail().orElseThrow())
        .isEqualTo("images of hub.example.org/app are denied here (images.deny)");
    assertThat(registry.askedSoFar()).isEmpty();
  }

  @Test
  void plansNothingWhoseThinImageMayNotBePushed() throws Exception {
    ImagePolicy policy = ImagePolicy.of(Optional.empty(), Optional.empty(), Optional.empty());

    Plan plan =
        planner(settings(), Admission.OPEN.withPolicy(policy))
            .plan(request("docker://hub.example.org/app:1", Platform.LINUX_AMD64));

    assertThat(plan).isInstanceOf(Plan.Refused.class);
    assertThat(plan.status().detail().orElseThrow())
        .contains("may not be pushed to registry.example.org/thin/app", "thin.allow");
    assertThat(registry.askedSoFar()).isEmpty();
  }

  @Test
  void refusesImagesThatAreTooLargeBeforeAnyLayerIsAskedFor() throws Exception {
    ResolvedImage image = image(Platform.LINUX_AMD64, "app", "base", "app");
    publish("hub.example.org/app", "1", digest("v1"), image);
    long bytes = image.layers().stream().mapToLong(layer -> layer.blob().sizeBytes()).sum();
    ConversionRequested request = request("docker://hub.example.org/app:1", Platform.LINUX_AMD64);

    Plan exact = planner(settings(), new Admission(ImagePolicy.OPEN, 2, bytes, 1)).plan(request);
    Plan tooManyLayers =
        planner(settings(), new Admission(ImagePolicy.OPEN, 1, bytes, 1)).plan(request);
    Plan tooManyBytes =
        planner(settings(), new Admission(ImagePolicy.OPEN, 2, bytes - 1, 1)).plan(request);

    assertThat(exact).isInstanceOf(Plan.Ready.class);
    assertThat(tooManyLayers).isInstanceOf(Plan.Refused.class);
    assertThat(tooManyLayers.status().detail().orElseThrow())
        .contains("has 2 layers; at most 1", "converter.image.layers");
    assertThat(tooManyBytes).isInstanceOf(Plan.Refused.class);
    assertThat(tooManyBytes.status().detail().orElseThrow())
        .contains("more than " + (bytes - 1) + " bytes", "converter.image.size");
  }

  @Test
  void asksASecondTimeForBytesWithAWrongDigestAndThenGivesUp() throws Exception {
    publish("hub.example.org/app", "1", digest("v1"), image(Platform.LINUX_AMD64, "app", "base"));
    registry.failNext(
        new ImageException.Corrupt("digest differs"), new ImageException.Corrupt("digest differs"));

    Plan plan = planner().plan(request("docker://hub.example.org/app:1", Platform.LINUX_AMD64));

    assertThat(plan).isInstanceOf(Plan.GivenUp.class);
    assertThat(plan.status().detail().orElseThrow())
        .isEqualTo("gave up after 2 tries: digest differs");
  }

  @Test
  void triesAgainWhenTheStoreIsAway() throws Exception {
    publish("hub.example.org/app", "1", digest("v1"), image(Platform.LINUX_AMD64, "app", "base"));
    files.failNext(new StorageException.Retryable("bucket out of reach", null));

    Plan plan = planner().plan(request("docker://hub.example.org/app:1", Platform.LINUX_AMD64));

    assertThat(plan).isInstanceOf(Plan.Ready.class);
    assertThat(registry.askedSoFar()).filteredOn(line -> line.startsWith("resolve")).hasSize(1);
  }

  @Test
  void endsATryAtItsDeadline() throws Exception {
    publish("slow.example.org/app", "1", digest("v1"), image(Platform.LINUX_AMD64, "app", "base"));
    registry.block("slow.example.org", new CountDownLatch(1));
    PlannerSettings hasty =
        new PlannerSettings(
            4,
            2,
            2,
            Duration.ofMillis(50),
            new Backoff(2, Duration.ofSeconds(1), Duration.ofMinutes(1)),
            2,
            10,
            Duration.ZERO,
            0);

    Plan plan =
        planner(hasty).plan(request("docker://slow.example.org/app:1", Platform.LINUX_AMD64));

    assertThat(plan).isInstanceOf(Plan.GivenUp.class);
    assertThat(plan.status().detail().orElseThrow())
        .contains("gave up after 2 tries", "slow.example.org/app:1", "not done within 50 ms");
  }

  @Test
  void leavesRoomForOthersWhileOneRegistryIsSlow() throws Exception {
    CountDownLatch gate = new CountDownLatch(1);
    registry.block("slow.example.org", gate);
    publish("slow.example.org/a", "1", digest("a"), image(Platform.LINUX_AMD64, "a", "base"));
    publish("fast.example.org/b", "1", digest("b"), image(Platform.LINUX_AMD64, "b", "base"));
    ConversionPlanner planner = planner();

    try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
      List<Future<Plan>> slow = new ArrayList<>();
      for (int i = 0; i < 8; i++) {
        slow.add(
            threads.submit(
                () ->
                    planner.plan(request("docker://slow.example.org/a:1", Platform.LINUX_AMD64))));
      }
      Plan fast =
          threads
              .submit(
                  () ->
                      planner.plan(request("docker://fast.example.org/b:1", Platform.LINUX_AMD64)))
              .get(10, TimeUnit.SECONDS);

      assertThat(fast).isInstanceOf(Plan.Ready.class);
      gate.countDown();
      for (Future<Plan> plan : slow) {
        assertThat(plan.get()).isInstanceOf(Plan.Ready.class);
      }
    }
  }

  @Test
  void stopsWhenItsThreadIsInterrupted() throws Exception {
    publish("slow.example.org/a", "1", digest("a"), image(Platform.LINUX_AMD64, "a", "base"));
    registry.block("slow.example.org", new CountDownLatch(1));
    ConversionPlanner planner = planner();
    AtomicReference<@Nullable Throwable> end = new AtomicReference<>();

    Thread thread =
        Thread.ofVirtual()
            .start(
                () -> {
                  try {
                    planner.plan(request("docker://slow.example.org/a:1", Platform.LINUX_AMD64));
                  } catch (InterruptedException | RuntimeException e) {
                    end.set(e);
                  }
                });
    while (registry.askedSoFar().size() < 2) {
      Thread.onSpinWait();
    }
    thread.interrupt();

    assertThat(thread.join(Duration.ofSeconds(10))).isTrue();
    assertThat(end.get()).isInstanceOf(InterruptedException.class);
  }

  @Test
  void namesItsSettingsWhenTheyMakeNoSense() {
    assertThatThrownBy(
            () ->
                new PlannerSettings(
                    0,
                    1,
                    1,
                    Duration.ofSeconds(1),
                    new Backoff(1, Duration.ofSeconds(1), Duration.ofSeconds(1)),
                    1,
                    1,
                    Duration.ZERO,
                    0))
        .hasMessageContaining("0 plans");
  }

  private static void assertRefused(Plan plan, String... words) {
    assertThat(plan).isInstanceOf(Plan.Refused.class);
    assertThat(plan.status().state()).isEqualTo(RequestStatus.State.FAILED);
    assertThat(plan.status().detail().orElseThrow()).contains(words);
  }
}
