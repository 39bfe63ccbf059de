package io.lamina.messaging;

import static org.assertj.core.api.Assertions.assertThat;

import io.lamina.messaging.event.Event;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

class OutOfOrderCommitIT {
  @RegisterExtension static final BrokerExtension BROKER = new BrokerExtension();

  private final List<AutoCloseable> open = new ArrayList<>();

  @AfterEach
  void closeAll() throws Exception {
    for (AutoCloseable closeable : open.reversed()) {
      closeable.close();
    }
  }

  private void send(String repository, int count) {
    try (EventProducer producer =
        new EventProducer(BROKER.kafka("test"), Clock.systemUTC(), Duration.ofSeconds(20))) {
      for (int i = 0; i < count; i++) {
        producer.send(Outgoing.of(SampleEvents.cancel(repository, "r-" + i)));
      }
    }
  }

  private PartitionedWorker worker(String group, PartitionHandler.Factory handlers) {
    PartitionedWorker worker =
        new PartitionedWorker(
            BROKER.kafka(group),
            PartitionedWorker.Settings.of(group, Topic.REPOSITORY, group)
                .withRetries(new Retries(3, Duration.ofMillis(10), Duration.ofMillis(100)))
                .withIdleInterval(Duration.ofMillis(100)),
            handlers,
            FailurePolicy.standard(),
            new SimpleMeterRegistry(),
            Clock.systemUTC(),
            new Random(1));
    open.add(worker);
    worker.start();
    return worker;
  }

  private static List<Received> of(String repository, List<Received> batch) {
    return batch.stream()
        .filter(r -> r.event().orElseThrow().repository().value().equals(repository))
        .toList();
  }

  private static String request(Received record) {
    return ((Event.CancelRequested) record.event().orElseThrow()).request().value();
  }

  @Test
  void handsOverAgainFromTheFirstRecordThatIsNotDone() throws Exception {
    String repository = "gap.example.org";
    send(repository, 5);
    List<String> seen = Collections.synchronizedList(new ArrayList<>());
    AtomicInteger crashes = new AtomicInteger();
    List<Received.Position> done = new ArrayList<>();

    worker(
        "it.gap",
        scope ->
            batch -> {
              List<Received.Position> others =
                  new ArrayList<>(batch.stream().map(Received::position).toList());
              for (Received record : of(repository, batch)) {
                seen.add(request(record));
                if (crashes.get() == 0) {
                  done.add(record.position());
                }
              }
              if (crashes.get() == 0 && done.size() == 5) {
                // All but the third, in no order; then it breaks.
                others.remove(done.get(2));
                Collections.reverse(others);
                scope.commit(List.of(), others);
                crashes.incrementAndGet();
                throw new IllegalStateException("broken");
              }
              if (crashes.get() > 0) {
                scope.commit(List.of(), others);
              }
            });

    Waiting.until("the end of the second run", () -> seen.size() >= 8);
    assertThat(seen).startsWith("r-0", "r-1", "r-2", "r-3", "r-4", "r-2", "r-3", "r-4").hasSize(8);
  }

  @Test
  void writesDeadLettersOfRecordsThatTheHandlerSetsAsideOnce() throws Exception {
    String repository = "aside.example.org";
    List<Received> letters = Collections.synchronizedList(new ArrayList<>());
    TableReader reader =
        new TableReader(
            BROKER.kafka("letters"),
            "letters",
            Topic.DEAD_LETTERS,
            letters::add,
            new SimpleMeterRegistry());
    open.add(reader);
    reader.start();
    send(repository, 3);
    List<String> seen = Collections.synchronizedList(new ArrayList<>());
    PartitionHandler.Factory handlers =
        scope ->
            batch -> {
              List<Received.Position> done =
                  new ArrayList<>(batch.stream().map(Received::position).toList());
              for (Received record : of(repository, batch)) {
                seen.add(request(record));
                if (request(record).equals("r-1")) {
                  scope.setAside(record, new IllegalStateException("nobody answers"));
                  done.remove(record.position());
                }
              }
              scope.commit(List.of(), done);
            };

    worker("it.aside", handlers);
    Waiting.until("all records", () -> seen.size() == 3);
    Waiting.until("the letter", () -> !of(repository, List.copyOf(letters)).isEmpty());
    open.removeLast().close();
    worker("it.aside", handlers);
    send(repository, 1);

    Waiting.until("the record after the restart", () -> seen.size() == 4);
    assertThat(seen).containsExactly("r-0", "r-1", "r-2", "r-0");
    assertThat(of(repository, List.copyOf(letters)).stream().map(r -> request(r)))
        .containsExactly("r-1");
  }
}
