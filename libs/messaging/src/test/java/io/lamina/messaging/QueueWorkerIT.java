package io.lamina.messaging;

import static org.assertj.core.api.Assertions.assertThat;

import io.lamina.messaging.event.Event;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

@SuppressWarnings("NullAway.Init")
class QueueWorkerIT {
  @RegisterExtension static final BrokerExtension BROKER = new BrokerExtension();

  private static final Retries QUICK =
      new Retries(1, Duration.ofMillis(10), Duration.ofMillis(100));
  private static final AtomicInteger NUMBERS = new AtomicInteger(1000);

  private final List<AutoCloseable> open = new ArrayList<>();
  private final Map<Long, AtomicInteger> deliveries = new ConcurrentHashMap<>();
  private EventProducer producer;

  @BeforeEach
  void openProducer() {
    producer = new EventProducer(BROKER.kafka("test"), Clock.systemUTC(), Duration.ofSeconds(20));
    open.add(producer);
  }

  @AfterEach
  void closeAll() throws Exception {
    for (AutoCloseable closeable : open.reversed()) {
      closeable.close();
    }
  }

  private static long number(Received record) {
    return ((Event.LayerRequested) record.event().orElseThrow()).timestampSeconds();
  }

  private int delivered(long number) {
    return deliveries.getOrDefault(number, new AtomicInteger()).get();
  }

  private List<Long> send(int count) {
    List<Long> numbers = new ArrayList<>();
    List<Outgoing> work = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      int number = NUMBERS.incrementAndGet();
      numbers.add((long) number);
      work.add(Outgoing.of(SampleEvents.work(number)));
    }
    producer.send(work);
    return numbers;
  }

  private QueueWorker.Settings settings(String name, int slots) {
    return QueueWorker.Settings.of(name, Topic.LAYERS, Topics.CONVERTERS, slots)
        .withPauses(QUICK)
        .withRenewInterval(Duration.ofMillis(500))
        .withStopTimeout(Duration.ofMillis(500));
  }

  private QueueWorker worker(QueueWorker.Settings settings, QueueHandler handler) {
    QueueHandler counting =
        new QueueHandler() {
          @Override
          public List<Outgoing> handle(Delivery delivery) {
            deliveries
                .computeIfAbsent(number(delivery.record()), n -> new AtomicInteger())
                .incrementAndGet();
            return handler.handle(delivery);
          }

          @Override
          public List<Outgoing> abandoned(Received record, Throwable cause) {
            return handler.abandoned(record, cause);
          }
        };
    QueueWorker worker =
        new QueueWorker(
            BROKER.kafka(settings.name()),
            settings,
            counting,
            FailurePolicy.standard(),
            new SimpleMeterRegistry(),
            Clock.systemUTC(),
            new Random(1));
    open.add(worker);
    worker.start();
    return worker;
  }

  private static List<Outgoing> sleepThen(Duration duration, List<Outgoing> results) {
    try {
      Thread.sleep(duration);
    } catch (InterruptedException e) {
      throw new MessagingException.Retryable("interrupted", e);
    }
    return results;
  }

  @Test
  void doesEachPieceOfWorkOnceAndWritesItsResults() throws Exception {
    List<String> results = Collections.synchronizedList(new ArrayList<>());
    TableReader reader =
        new TableReader(
            BROKER.kafka("results"),
            "results",
            Topic.REPOSITORY,
            r -> results.add(((Event.CancelRequested) r.event().orElseThrow()).request().value()),
            new SimpleMeterRegistry());
    open.add(reader);
    reader.start();
    List<Long> sent = send(12);

    worker(
        settings("w", 3),
        delivery ->
            List.of(
                Outgoing.of(
                    SampleEvents.cancel("repo.example.org", "n" + number(delivery.record())))));

    Waiting.until(
        "all results", () -> results.containsAll(sent.stream().map(n -> "n" + n).toList()));
    assertThat(results).doesNotHaveDuplicates();
  }

  @Test
  void keepsTheLockOfWorkThatOutlastsIt() throws Exception {
    List<Long> sent = send(2);
    List<Long> done = Collections.synchronizedList(new ArrayList<>());
    QueueHandler handler =
        delivery -> {
          sleepThen(BrokerExtension.LOCK.multipliedBy(3), List.of());
          done.add(number(delivery.record()));
          return List.of();
        };

    worker(settings("a", 2), handler);
    worker(settings("b", 1), handler);

    Waiting.until("both", () -> done.containsAll(sent));
    Thread.sleep(BrokerExtension.LOCK.plusSeconds(1)); // a lost lock would show by now
    assertThat(sent).allSatisfy(n -> assertThat(delivered(n)).isEqualTo(1));
  }

  @Test
  void givesFailedWorkOutAgainAndSetsItAsideInTheEnd() throws Exception {
    List<Long> sent = send(2);
    List<Received> letters = Collections.synchronizedList(new ArrayList<>());
    List<Long> told = Collections.synchronizedList(new ArrayList<>());
    List<Integer> attempts = Collections.synchronizedList(new ArrayList<>());
    TableReader reader =
        new TableReader(
            BROKER.kafka("letters"),
            "letters",
            Topic.DEAD_LETTERS,
            letters::add,
            new SimpleMeterRegistry());
    open.add(reader);
    reader.start();

    worker(
        settings("w", 2).withMaxDeliveries(3),
        new QueueHandler() {
          @Override
          public List<Outgoing> handle(Delivery delivery) {
            if (number(delivery.record()) == sent.getFirst()) {
              attempts.add(delivery.attempt());
              throw new IllegalStateException("always");
            }
            if (delivery.attempt() == 1) {
              throw new IllegalStateException("once");
            }
            return List.of();
          }

          @Override
          public List<Outgoing> abandoned(Received record, Throwable cause) {
            told.add(number(record));
            return List.of();
          }
        });

    Waiting.until(
        "the dead letter", () -> letters.stream().anyMatch(r -> number(r) == sent.getFirst()));
    Waiting.until("the other's second delivery", () -> delivered(sent.getLast()) == 2);
    assertThat(attempts).containsExactly(1, 2, 3);
    assertThat(told).containsExactly(sent.getFirst());
  }

  @Test
  void releasesWhatItCannotFinishWhenItStops() throws Exception {
    List<Long> sent = send(1);
    QueueWorker first =
        worker(
            settings("a", 1),
            delivery ->
                number(delivery.record()) == sent.getFirst()
                    ? sleepThen(Duration.ofMinutes(5), List.of())
                    : List.of());
    Waiting.until("the delivery", () -> delivered(sent.getFirst()) == 1);

    first.close();
    List<Long> done = Collections.synchronizedList(new ArrayList<>());
    worker(
        settings("b", 1),
        delivery -> {
          done.add(number(delivery.record()));
          return List.of();
        });

    Waiting.until("the redelivery", () -> done.containsAll(sent));
  }

  @Test
  void finishesWorkThatOutlivesTheBroker() throws Exception {
    List<Long> sent = send(1);
    List<Long> done = Collections.synchronizedList(new ArrayList<>());

    worker(
        settings("w", 2),
        delivery -> {
          if (number(delivery.record()) == sent.getFirst()) {
            sleepThen(Duration.ofSeconds(10), List.of());
          }
          done.add(number(delivery.record()));
          return List.of();
        });
    Waiting.until("the delivery", () -> delivered(sent.getFirst()) == 1);
    BROKER.restart();

    Waiting.until("the end of the work", Duration.ofSeconds(60), () -> done.containsAll(sent));
    List<Long> later = send(2);
    Waiting.until("later work", Duration.ofSeconds(60), () -> done.containsAll(later));
    // Given out again while it ran, it was joined to what ran; afterwards it counts as done.
    assertThat(delivered(sent.getFirst())).isEqualTo(1);
  }

  @Test
  void isNotHeldUpByASlowPieceOfWork() throws Exception {
    List<Long> sent = send(20);
    List<Long> done = Collections.synchronizedList(new ArrayList<>());

    worker(
        settings("w", 2),
        delivery -> {
          if (number(delivery.record()) == sent.getFirst()) {
            sleepThen(Duration.ofSeconds(15), List.of());
          }
          done.add(number(delivery.record()));
          return List.of();
        });

    Waiting.until(
        "all but the slow one",
        Duration.ofSeconds(12),
        () -> done.containsAll(sent.subList(1, 20)));
    assertThat(done).doesNotContain(sent.getFirst());
    assertThat(IntStream.range(1, 20)).allMatch(i -> delivered(sent.get(i)) == 1);
  }
}
