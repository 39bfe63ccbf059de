package io.lamina.converter.plan;

import static io.lamina.converter.SampleImages.digest;
import static io.lamina.converter.SampleImages.image;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.tuple;

import io.lamina.converter.FakeClock;
import io.lamina.converter.FakeImages;
import io.lamina.cvmfs.RepositoryName;
import io.lamina.image.ImageException;
import io.lamina.image.Platform;
import io.lamina.messaging.Outgoing;
import io.lamina.messaging.Received;
import io.lamina.messaging.event.Event;
import io.lamina.messaging.event.Event.CancelRequested;
import io.lamina.messaging.event.Event.ConversionRequested;
import io.lamina.messaging.event.Event.ImagePlanned;
import io.lamina.messaging.event.Event.RequestStatus;
import io.lamina.messaging.event.Precedence;
import io.lamina.messaging.event.RequestId;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.CountDownLatch;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
class PlanHandlerTest {
  private static final RepositoryName REPOSITORY = new RepositoryName("images.example.org");
  private static final Instant NOW = Instant.parse("2026-01-02T03:04:05Z");

  private final FakeImages registry = new FakeImages();
  private final FakeScope scope = new FakeScope();
  private final PlanHandler handler =
      new PlanHandler(
          scope,
          new ConversionPlanner(
              registry,
              new InMemoryPlanFiles(REPOSITORY),
              PlannerSettings.DEFAULT,
              Admission.OPEN,
              new FakeClock(NOW),
              new Random(1),
              _ -> {},
              new SimpleMeterRegistry()),
          4);

  private static Received record(long offset, String key, Optional<Event> event) {
    return new Received(
        new Received.Position("lamina.conversions", 0, offset),
        key,
        event,
        Optional.of("00-trace-" + offset),
        NOW);
  }

  private static Received request(long offset, String image) {
    return record(
        offset,
        image,
        Optional.of(
            new ConversionRequested(
                new RequestId("r" + offset),
                REPOSITORY,
                image,
                List.of(Platform.LINUX_AMD64),
                Optional.empty(),
                NOW)));
  }

  private void publish(String place) {
    registry.tag(place, "1", digest(place));
    registry.image(digest(place), image(Platform.LINUX_AMD64, place, "base"));
  }

  private List<String> planned() {
    synchronized (scope.events) {
      return scope.events.stream()
          .flatMap(outgoing -> outgoing.event().stream())
          .filter(ImagePlanned.class::isInstance)
          .map(event -> ((ImagePlanned) event).request().value())
          .toList();
    }
  }

  private void idleUntilDone(int records) {
    while (scope.done.size() + scope.letters.size() < records) {
      handler.idle();
      Thread.onSpinWait();
    }
  }

  @Test
  void commitsPlanAndStatusWithTheTraceOfTheirRequest() {
    publish("hub.example.org/app");

    handler.handle(List.of(request(7, "docker://hub.example.org/app:1")));
    idleUntilDone(1);

    assertThat(scope.done).containsExactly(7L);
    assertThat(scope.events)
        .extracting(outgoing -> outgoing.event().orElseThrow().getClass().getSimpleName())
        .containsExactly("ImagePlanned", "RequestStatus");
    assertThat(scope.events)
        .extracting(Outgoing::traceParent)
        .containsOnly(Optional.of("00-trace-7"));
  }

  @Test
  void commitsAnAnswerWhileAnEarlierRequestIsStillUnderWay() {
    publish("slow.example.org/a");
    publish("fast.example.org/b");
    CountDownLatch gate = new CountDownLatch(1);
    registry.block("slow.example.org", gate);

    handler.handle(
        List.of(
            request(1, "docker://slow.example.org/a:1"),
            request(2, "docker://fast.example.org/b:1")));
    idleUntilDone(1);

    assertThat(scope.done).containsExactly(2L);
    gate.countDown();
    idleUntilDone(2);
    assertThat(planned()).containsExactly("r2", "r1");
  }

  private static Received request(long offset, String image, Precedence precedence) {
    ConversionRequested plain = (ConversionRequested) request(offset, image).event().orElseThrow();
    return record(
        offset,
        image,
        Optional.of(
            new ConversionRequested(
                plain.request(),
                plain.repository(),
                plain.image(),
                plain.platforms(),
                plain.thinTarget(),
                plain.acceptedAt(),
                Optional.of(precedence))));
  }

  @Test
  void plansTheMoreUrgentBeforeABulkOfOthersAndAnImagesRequestsInTheirOrder() {
    publish("slow.example.org/gate");
    publish("hub.example.org/mirrored");
    publish("hub.example.org/wanted");
    publish("hub.example.org/both");
    CountDownLatch gate = new CountDownLatch(1);
    registry.block("slow.example.org", gate);
    Precedence bulk = new Precedence(Precedence.Priority.BULK, "mirror");
    List<Received> records = new ArrayList<>();
    for (int i = 0; i < 4; i++) {
      // As many as are planned at once.
      records.add(request(i, "docker://slow.example.org/gate:1", bulk));
    }
    for (int i = 4; i < 60; i++) {
      records.add(request(i, "docker://hub.example.org/mirrored:1", bulk));
    }
    records.add(request(60, "docker://hub.example.org/both:1", bulk));
    records.add(request(61, "docker://hub.example.org/both:1"));
    records.add(request(62, "docker://hub.example.org/wanted:1"));

    handler.handle(records);
    gate.countDown();
    idleUntilDone(63);

    assertThat(planned()).hasSize(63);
    assertThat(planned().subList(0, 11)).contains("r60", "r61", "r62");
    assertThat(planned().indexOf("r60")).isLessThan(planned().indexOf("r61"));
  }

  @Test
  void keepsTheOrderOfRequestsForOneImage() {
    publish("hub.example.org/app");
    publish("hub.example.org/other");

    handler.handle(
        IntStream.range(0, 40)
            .mapToObj(
                i -> request(i, "docker://hub.example.org/" + (i % 4 == 3 ? "other:1" : "app:1")))
            .toList());
    idleUntilDone(40);

    assertThat(planned().stream().filter(id -> Integer.parseInt(id.substring(1)) % 4 != 3))
        .containsExactlyElementsOf(
            IntStream.range(0, 40).filter(i -> i % 4 != 3).mapToObj(i -> "r" + i).toList());
    assertThat(scope.done).hasSize(40).doesNotHaveDuplicates();
  }

  @Test
  void plansNoMoreAtOnceThanItsBoundAndEndsWhenItIsToStop() {
    publish("slow.example.org/a");
    registry.block("slow.example.org", new CountDownLatch(1));
    for (int i = 0; i < 10; i++) {
      registry.tag("slow.example.org/a" + i, "1", digest("slow.example.org/a"));
    }

    handler.handle(
        IntStream.range(0, 10)
            .mapToObj(i -> request(i, "docker://slow.example.org/a" + i + ":1"))
            .toList());
    handler.idle();
    scope.stopping.set(true);
    handler.handle(List.of(request(10, "docker://slow.example.org/a0:1")));
    handler.idle();

    handler.close();
    assertThat(registry.askedSoFar())
        .filteredOn(line -> line.startsWith("head"))
        .hasSizeLessThan(5);
    assertThat(planned()).isEmpty();
  }

  @Test
  void tellsTheRequesterOfARefusalAndGoesOn() {
    publish("hub.example.org/app");

    handler.handle(
        List.of(
            request(1, "docker://hub.example.org/missing:1"),
            request(2, "docker://hub.example.org/app:1")));
    idleUntilDone(2);

    assertThat(scope.done).containsExactlyInAnyOrder(1L, 2L);
    assertThat(planned()).containsExactly("r2");
    assertThat(scope.events)
        .extracting(outgoing -> outgoing.event().orElseThrow())
        .filteredOn(RequestStatus.class::isInstance)
        .extracting(
            event -> ((RequestStatus) event).request().value(),
            event -> ((RequestStatus) event).state())
        .contains(tuple("r1", RequestStatus.State.FAILED));
  }

  @Test
  void setsARequestAsideThatItGaveUp() {
    publish("hub.example.org/app");
    registry.failNext(new ImageException.Retryable("quota", null, Duration.ofHours(9)));

    handler.handle(List.of(request(3, "docker://hub.example.org/app:1")));
    idleUntilDone(1);

    assertThat(scope.letters).singleElement().asString().startsWith("3: quota");
    assertThat(scope.done).isEmpty();
    assertThat(scope.events).hasSize(1);
  }

  @Test
  void setsAsideWhatIsNoRequestAndPassesOverTombstones() {
    handler.handle(
        List.of(
            record(1, "k", Optional.of(new CancelRequested(new RequestId("x"), REPOSITORY))),
            record(2, "k", Optional.empty())));
    idleUntilDone(2);

    assertThat(scope.letters)
        .containsExactly("1: a CancelRequested is no request for a conversion");
    assertThat(scope.done).containsExactly(2L);
    assertThat(scope.events).isEmpty();
  }
}
