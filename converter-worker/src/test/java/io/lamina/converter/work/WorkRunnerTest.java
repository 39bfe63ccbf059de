package io.lamina.converter.work;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.lamina.converter.Backoff;
import io.lamina.converter.FakeClock;
import io.lamina.cvmfs.RepositoryName;
import io.lamina.image.Descriptor;
import io.lamina.image.Digest;
import io.lamina.image.ImageException;
import io.lamina.image.LayerDescriptor;
import io.lamina.messaging.event.Event;
import io.lamina.messaging.event.Event.LayerRequested;
import io.lamina.messaging.event.Event.ThinPushed;
import io.lamina.messaging.event.Event.WorkFailed;
import io.lamina.messaging.event.Event.WorkProgress;
import io.lamina.messaging.event.RequestId;
import io.lamina.storage.StorageException;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Deque;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(30)
class WorkRunnerTest {
  private static final RepositoryName REPOSITORY = new RepositoryName("images.example.org");
  private static final LayerRequested LAYER =
      new LayerRequested(
          REPOSITORY,
          new LayerDescriptor(
              new Descriptor("layer", new Digest("a".repeat(64)), 100), new Digest("b".repeat(64))),
          "docker://hub.example.org/app:1",
          1_700_000_000L);
  private static final Event RESULT =
      new ThinPushed(REPOSITORY, new RequestId("r"), "target", new Digest("c".repeat(64)));

  private final FakeClock clock = new FakeClock(Instant.parse("2026-01-02T03:04:05Z"));
  private final List<WorkProgress> reports = Collections.synchronizedList(new ArrayList<>());
  private final List<Duration> pauses = new ArrayList<>();
  private final SimpleMeterRegistry meters = new SimpleMeterRegistry();
  private final Deque<Exception> failures = new ArrayDeque<>();
  private final AtomicInteger tries = new AtomicInteger();

  private static WorkSettings settings() {
    return new WorkSettings(
        2,
        1,
        new Backoff(4, Duration.ofSeconds(1), Duration.ofSeconds(30)),
        2,
        Duration.ofMillis(500));
  }

  private WorkRunner runner(Jobs jobs) {
    return new WorkRunner(
        jobs, settings(), reports::add, clock, new Random(3), pauses::add, meters);
  }

  private WorkRunner failing(Exception... first) {
    failures.addAll(List.of(first));
    return runner(
        (_, _) -> {
          tries.incrementAndGet();
          switch (failures.poll()) {
            case null -> {
              return RESULT;
            }
            case RuntimeException e -> throw e;
            case IOException e -> throw e;
            case InterruptedException e -> throw e;
            case Exception e -> throw new AssertionError(e);
          }
        });
  }

  private Duration paused() {
    return pauses.stream().reduce(Duration.ZERO, Duration::plus);
  }

  @Test
  void givesTheResultOfTheJob() throws Exception {
    assertThat(failing().run(LAYER, () -> false)).isEqualTo(new Answer.Done(RESULT));
    assertThat(pauses).isEmpty();
    assertThat(
            meters
                .get("converter.work.duration")
                .tags("kind", "layer", "outcome", "done")
                .timer()
                .count())
        .isEqualTo(1);
  }

  @Test
  void failsAtOnceWhatCanNeverBeDone() throws Exception {
    Answer answer =
        failing(new ImageException.Rejected("entry ../../etc/passwd leaves the layer"))
            .run(LAYER, () -> false);

    assertThat(answer)
        .isEqualTo(
            new Answer.Failed(
                new WorkFailed(
                    REPOSITORY, LAYER.work(), "entry ../../etc/passwd leaves the layer")));
    assertThat(tries).hasValue(1);
  }

  @Test
  void fetchesACorruptLayerOnceMoreAsTheMirrorMayBeBroken() throws Exception {
    Answer answer =
        failing(new IOException(new ImageException.Corrupt("digest differs")))
            .run(LAYER, () -> false);

    assertThat(answer).isEqualTo(new Answer.Done(RESULT));
    assertThat(tries).hasValue(2);
  }

  @Test
  void givesUpOnALayerThatStaysCorrupt() throws Exception {
    Answer answer =
        failing(
                new ImageException.Corrupt("digest differs"),
                new ImageException.Corrupt("digest differs"))
            .run(LAYER, () -> false);

    assertThat(answer).isEqualTo(new Answer.GivenUp("gave up after 2 tries: digest differs"));
  }

  @Test
  void triesAgainHereAndThenLetsTheQueueHandItOutAgain() throws Exception {
    Answer answer =
        failing(
                new IOException("connection reset"),
                new StorageException.Retryable("bucket out of reach", null),
                new ImageException.Retryable("503", null, null),
                new ImageException.Retryable("still 503", null, null))
            .run(LAYER, () -> false);

    assertThat(answer).isEqualTo(new Answer.Again("still 503"));
    assertThat(tries).hasValue(4);
    assertThat(paused()).isBetween(Duration.ofMillis(3500), Duration.ofSeconds(7));
  }

  @Test
  void waitsAsLongAsTheRegistryAsks() throws Exception {
    Answer answer =
        failing(new ImageException.Retryable("429", null, Duration.ofSeconds(20)))
            .run(LAYER, () -> false);

    assertThat(answer).isEqualTo(new Answer.Done(RESULT));
    assertThat(paused()).isEqualTo(Duration.ofSeconds(20));
  }

  @Test
  void givesUpWhenTheRegistryAsksForHours() throws Exception {
    Answer answer =
        failing(new ImageException.Retryable("quota used up", null, Duration.ofHours(6)))
            .run(LAYER, () -> false);

    assertThat(answer)
        .isEqualTo(new Answer.GivenUp("quota used up (the other side asks to wait 6 h)"));
    assertThat(pauses).isEmpty();
  }

  @Test
  void answersEvenWhenTheJobBreaks() throws Exception {
    Answer answer =
        failing(new IllegalStateException("odd"), new IllegalStateException("odd"))
            .run(LAYER, () -> false);

    assertThat(answer).isInstanceOf(Answer.GivenUp.class);
    assertThat(((Answer.GivenUp) answer).reason()).contains("IllegalStateException", "odd");
  }

  @Test
  void answersEvenWhenTheJobRecursesTooDeep() throws Exception {
    WorkRunner runner =
        runner(
            (_, _) -> {
              throw new StackOverflowError();
            });

    assertThat(runner.run(LAYER, () -> false)).isInstanceOf(Answer.GivenUp.class);
  }

  @Test
  void handsTheWorkBackWhenItIsInterrupted() {
    WorkRunner runner =
        failing(new ImageException.Retryable("cut", new InterruptedException(), null));

    assertThatThrownBy(() -> runner.run(LAYER, () -> false))
        .isInstanceOf(InterruptedException.class);
  }

  @Test
  void beginsNoFurtherTryWhenTheProcessStops() {
    WorkRunner runner = failing(new IOException("connection reset"));

    assertThatThrownBy(() -> runner.run(LAYER, () -> tries.get() > 0))
        .isInstanceOf(InterruptedException.class);
    assertThat(tries).hasValue(1);
  }

  @Test
  void givesThePermitBackWhileItWaitsForTheNextTry() throws Exception {
    List<Double> used = new ArrayList<>();
    failures.add(new IOException("connection reset"));
    WorkRunner runner =
        new WorkRunner(
            (_, _) -> {
              used.add(meters.get("converter.permits.used").tag("limit", "layer").gauge().value());
              if (failures.poll() instanceof IOException e) {
                throw e;
              }
              return RESULT;
            },
            settings(),
            reports::add,
            clock,
            new Random(3),
            _ ->
                used.add(
                    meters.get("converter.permits.used").tag("limit", "layer").gauge().value()),
            meters);

    runner.run(LAYER, () -> false);

    assertThat(used.getFirst()).isEqualTo(1.0);
    assertThat(used.subList(1, used.size() - 1)).containsOnly(0.0);
    assertThat(used.getLast()).isEqualTo(1.0);
  }

  @Test
  void doesNoMoreAtOnceThanItMay() throws Exception {
    AtomicInteger now = new AtomicInteger();
    AtomicInteger most = new AtomicInteger();
    CountDownLatch two = new CountDownLatch(2);
    WorkRunner runner =
        runner(
            (_, _) -> {
              most.accumulateAndGet(now.incrementAndGet(), Math::max);
              two.countDown();
              two.await();
              now.decrementAndGet();
              return RESULT;
            });

    try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
      List<Future<Answer>> answers = new ArrayList<>();
      for (int i = 0; i < 20; i++) {
        answers.add(threads.submit(() -> runner.run(LAYER, () -> false)));
      }
      for (Future<Answer> answer : answers) {
        assertThat(answer.get()).isEqualTo(new Answer.Done(RESULT));
      }
    }
    assertThat(most).hasValue(2);
  }

  @Test
  void reportsTheFirstAndTheLastWordAndFewBetween() throws Exception {
    runner(
            (_, progress) -> {
              for (int i = 1; i <= 1000; i++) {
                progress.at(i, 1000);
                clock.advance(Duration.ofMillis(1));
              }
              return RESULT;
            })
        .run(LAYER, () -> false);

    assertThat(reports).extracting(WorkProgress::doneBytes).containsExactly(1L, 501L, 1000L);
    assertThat(reports).extracting(WorkProgress::totalBytes).containsOnly(1000L);
    assertThat(reports).extracting(WorkProgress::work).containsOnly(LAYER.work());
  }

  @Test
  void keepsReportsWithinTheirBounds() throws Exception {
    runner(
            (_, progress) -> {
              progress.at(5000, 1000);
              return RESULT;
            })
        .run(LAYER, () -> false);

    assertThat(reports).singleElement().extracting(WorkProgress::doneBytes).isEqualTo(1000L);
  }
}
