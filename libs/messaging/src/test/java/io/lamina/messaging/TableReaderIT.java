package io.lamina.messaging;

import static org.assertj.core.api.Assertions.assertThat;

import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.nio.charset.StandardCharsets;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

@SuppressWarnings("NullAway.Init")
class TableReaderIT {
  @RegisterExtension static final BrokerExtension BROKER = new BrokerExtension();

  private final List<AutoCloseable> open = new ArrayList<>();
  private EventProducer producer;

  @BeforeEach
  void openProducer() {
    producer = new EventProducer(BROKER.kafka("test"), Clock.systemUTC(), Duration.ofSeconds(60));
    open.add(producer);
  }

  @AfterEach
  void closeAll() throws Exception {
    for (AutoCloseable closeable : open.reversed()) {
      closeable.close();
    }
  }

  private TableReader reader(TableReader.Fold fold) {
    TableReader reader =
        new TableReader(
            BROKER.kafka("reader"), "reader", Topic.REPOSITORY, fold, new SimpleMeterRegistry());
    open.add(reader);
    reader.start();
    return reader;
  }

  private void send(String... repositories) {
    for (String repository : repositories) {
      producer.send(Outgoing.of(SampleEvents.cancel(repository, "r")));
    }
  }

  @Test
  void readsFromTheStartAndSaysWhenItHasCaughtUp() throws Exception {
    send("a1.org", "a2.org", "a3.org");
    List<String> seen = Collections.synchronizedList(new ArrayList<>());

    TableReader reader = reader(r -> seen.add(r.key()));

    reader.caughtUp().get(30, TimeUnit.SECONDS);
    assertThat(seen).contains("a1.org", "a2.org", "a3.org");
    send("a4.org");
    Waiting.until("what comes later", () -> seen.contains("a4.org"));
  }

  @Test
  void goesOnWhenTheBrokerComesBack() throws Exception {
    send("b1.org");
    List<String> seen = Collections.synchronizedList(new ArrayList<>());
    TableReader reader = reader(r -> seen.add(r.key()));
    reader.caughtUp().get(30, TimeUnit.SECONDS);

    BROKER.restart();
    send("b2.org");

    Waiting.until("what came after", Duration.ofSeconds(60), () -> seen.contains("b2.org"));
    assertThat(seen).doesNotHaveDuplicates();
    assertThat(reader.stopped()).isNotDone();
  }

  @Test
  void passesOverWhatIsNoEvent() throws Exception {
    producer.sendRecords(
        List.of(
            new ProducerRecord<>(
                Topic.REPOSITORY.topicName(),
                0,
                "junk".getBytes(StandardCharsets.UTF_8),
                new byte[] {1, 2, 3})));
    send("c1.org");
    List<String> seen = Collections.synchronizedList(new ArrayList<>());

    reader(r -> seen.add(r.key())).caughtUp().get(30, TimeUnit.SECONDS);

    assertThat(seen).contains("c1.org").doesNotContain("junk");
  }

  @Test
  void endsWithTheFailureOfItsFold() throws Exception {
    send("d1.org");

    TableReader reader =
        reader(
            r -> {
              throw new IllegalStateException("cannot fold");
            });

    Waiting.until("the end", () -> reader.stopped().isDone());
    assertThat(reader.stopped().exceptionNow()).hasMessage("cannot fold");
    assertThat(reader.caughtUp()).isCompletedExceptionally();
  }
}
