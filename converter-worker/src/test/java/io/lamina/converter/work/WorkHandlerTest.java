package io.lamina.converter.work;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;

import io.lamina.converter.Backoff;
import io.lamina.converter.FakeClock;
import io.lamina.converter.SampleImages;
import io.lamina.cvmfs.RepositoryName;
import io.lamina.image.Descriptor;
import io.lamina.image.ImageException;
import io.lamina.image.LayerDescriptor;
import io.lamina.messaging.FailurePolicy;
import io.lamina.messaging.MessagingException;
import io.lamina.messaging.Outgoing;
import io.lamina.messaging.QueueHandler.Delivery;
import io.lamina.messaging.Received;
import io.lamina.messaging.event.Event;
import io.lamina.messaging.event.Event.CancelRequested;
import io.lamina.messaging.event.Event.LayerRequested;
import io.lamina.messaging.event.Event.ThinPushed;
import io.lamina.messaging.event.Event.WorkFailed;
import io.lamina.messaging.event.RequestId;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

class WorkHandlerTest {
  private static final RepositoryName REPOSITORY = new RepositoryName("images.example.org");
  private static final Instant NOW = Instant.parse("2026-01-02T03:04:05Z");
  private static final LayerRequested LAYER =
      new LayerRequested(
          REPOSITORY,
          new LayerDescriptor(
              new Descriptor("layer", SampleImages.digest("layer"), 100),
              SampleImages.digest("tar")),
          "docker://hub.example.org/app:1",
          1_700_000_000L);
  private static final Event RESULT =
      new ThinPushed(REPOSITORY, new RequestId("r"), "target", SampleImages.digest("thin"));

  private final AtomicInteger runs = new AtomicInteger();

  private WorkHandler handler(Jobs jobs) {
    return new WorkHandler(
        new WorkRunner(
            (work, progress) -> {
              runs.incrementAndGet();
              return jobs.run(work, progress);
            },
            new WorkSettings(
                1,
                1,
                new Backoff(2, Duration.ofMillis(1), Duration.ofSeconds(1)),
                2,
                Duration.ZERO),
            _ -> {},
            new FakeClock(NOW),
            new Random(1),
            _ -> {},
            new SimpleMeterRegistry()));
  }

  private static Delivery delivery(long offset, Optional<Event> event) {
    return new Delivery(
        new Received(
            new Received.Position("lamina.layers", 0, offset), "key", event, Optional.empty(), NOW),
        1,
        new AtomicBoolean());
  }

  @Test
  void tellsTheResult() {
    assertThat(handler((_, _) -> RESULT).handle(delivery(1, Optional.of(LAYER))))
        .containsExactly(Outgoing.of(RESULT));
  }

  @Test
  void doesNotDoTheWorkAgainWhenItsResultCouldNotBeTold() {
    WorkHandler handler = handler((_, _) -> RESULT);

    handler.handle(delivery(1, Optional.of(LAYER)));
    assertThat(handler.handle(delivery(1, Optional.of(LAYER))))
        .containsExactly(Outgoing.of(RESULT));
    assertThat(runs).hasValue(1);

    // Asked for anew it is done anew.
    handler.handle(delivery(2, Optional.of(LAYER)));
    assertThat(runs).hasValue(2);
  }

  @Test
  void tellsWhatCanNeverBeDoneWithoutADeadLetter() {
    var told =
        handler(
                (_, _) -> {
                  throw new ImageException.Rejected("a bomb");
                })
            .handle(delivery(1, Optional.of(LAYER)));

    assertThat(told)
        .containsExactly(Outgoing.of(new WorkFailed(REPOSITORY, LAYER.work(), "a bomb")));
  }

  @Test
  void letsTheQueueHandPassingFailuresOutAgain() {
    WorkHandler handler =
        handler(
            (_, _) -> {
              throw new IOException("connection reset");
            });

    Throwable setback = catchThrowable(() -> handler.handle(delivery(1, Optional.of(LAYER))));

    assertThat(WorkHandler.policy().judge(setback)).isEqualTo(FailurePolicy.Verdict.RETRY);
  }

  @Test
  void setsAsideWhatStaysCorruptAndTellsTheReason() {
    WorkHandler handler =
        handler(
            (_, _) -> {
              throw new ImageException.Corrupt("digest differs");
            });
    Delivery delivery = delivery(1, Optional.of(LAYER));

    Throwable setback = catchThrowable(() -> handler.handle(delivery));

    assertThat(WorkHandler.policy().judge(setback)).isEqualTo(FailurePolicy.Verdict.REJECT);
    assertThat(handler.abandoned(delivery.record(), setback))
        .containsExactly(
            Outgoing.of(
                new WorkFailed(REPOSITORY, LAYER.work(), "gave up after 2 tries: digest differs")));
  }

  @Test
  void tellsTheRequesterWhenTheQueueGivesUp() {
    var told =
        handler((_, _) -> RESULT)
            .abandoned(
                delivery(1, Optional.of(LAYER)).record(),
                new MessagingException.Rejected("the work did not end in 8 deliveries"));

    assertThat(told).hasSize(1);
    assertThat(((WorkFailed) told.getFirst().event().orElseThrow()).reason())
        .contains("did not end in 8 deliveries");
  }

  @Test
  void leavesTheQueuesOwnFailuresToTheQueue() {
    assertThat(WorkHandler.policy().judge(new MessagingException.Retryable("away", null)))
        .isEqualTo(FailurePolicy.Verdict.WAIT);
    assertThat(WorkHandler.policy().judge(new OutOfMemoryError()))
        .isEqualTo(FailurePolicy.Verdict.STOP);
  }

  @Test
  void setsAsideWhatIsNoWork() {
    WorkHandler handler = handler((_, _) -> RESULT);
    Delivery delivery =
        delivery(1, Optional.of(new CancelRequested(new RequestId("x"), REPOSITORY)));

    Throwable failure = catchThrowable(() -> handler.handle(delivery));

    assertThat(WorkHandler.policy().judge(failure)).isEqualTo(FailurePolicy.Verdict.REJECT);
    assertThat(handler.abandoned(delivery.record(), failure)).isEmpty();
    assertThat(runs).hasValue(0);
  }

  @Test
  void handsWorkBackWhenTheProcessStops() {
    WorkHandler handler =
        handler(
            (_, _) -> {
              throw new InterruptedException("stop");
            });

    Throwable setback = catchThrowable(() -> handler.handle(delivery(1, Optional.of(LAYER))));

    assertThat(Thread.interrupted()).isTrue();
    assertThat(WorkHandler.policy().judge(setback)).isEqualTo(FailurePolicy.Verdict.RETRY);
  }
}
