package io.lamina.messaging;

import static org.assertj.core.api.Assertions.assertThat;

import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.nio.charset.StandardCharsets;
import java.time.Clock;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** A transaction is committed while it is read. */
@SuppressWarnings("NullAway.Init")
class LogEndsIT {
  @RegisterExtension static final BrokerExtension BROKER = new BrokerExtension();

  /** Long enough for a reader that waits for nothing to be done. */
  private static final Duration MEANWHILE = Duration.ofSeconds(2);

  private final Set<String> seen = ConcurrentHashMap.newKeySet();
  private KafkaProducer<byte[], byte[]> producer;

  @BeforeEach
  void openProducer() {
    producer = new KafkaClients(BROKER.kafka("test")).transactionalProducer("log-ends");
    producer.initTransactions();
  }

  @AfterEach
  void closeProducer() {
    producer.close(Duration.ZERO);
  }

  /** Sent, and not yet committed. */
  private void begin(Topic topic, String repository) {
    producer.beginTransaction();
    producer.send(
        new EventRecords("test", Clock.systemUTC())
            .repeat(
                topic,
                repository,
                "any",
                "value".getBytes(StandardCharsets.UTF_8),
                Clock.systemUTC().instant()));
    producer.flush();
  }

  @Test
  void aTableIsCaughtUpWithWhatWasOpenWhenItBegan() throws Exception {
    begin(Topic.DEAD_LETTERS, "open.org");
    try (TableReader reader =
        TableReader.raw(
            BROKER.kafka("reader"),
            "reader",
            Topic.DEAD_LETTERS,
            record -> seen.add(new String(record.key(), StandardCharsets.UTF_8)),
            new SimpleMeterRegistry())) {
      reader.start();
      Thread.sleep(MEANWHILE);
      assertThat(reader.caughtUp()).isNotDone();
      producer.commitTransaction();

      reader.caughtUp().get(30, TimeUnit.SECONDS);
      assertThat(seen).contains("open.org");
    }
  }

  @Test
  void theJournalIsReadWithWhatWasOpenWhenTheReadingBegan() throws Exception {
    begin(Topic.PUBLISHED, "open.org");
    CompletableFuture<Void> reading =
        CompletableFuture.runAsync(
            () ->
                new JournalTopic(BROKER.kafka("reader"))
                    .read("open.org", List.of(), (at, record) -> seen.add(record.repository())));
    Thread.sleep(MEANWHILE);
    assertThat(reading).isNotDone();
    producer.commitTransaction();

    reading.get(30, TimeUnit.SECONDS);
    assertThat(seen).contains("open.org");
  }

  @Test
  void whatIsGivenUpIsNotWaitedFor() throws Exception {
    begin(Topic.PUBLISHED, "aborted.org");
    producer.abortTransaction();

    new JournalTopic(BROKER.kafka("reader"))
        .read("aborted.org", List.of(), (at, record) -> seen.add(record.repository()));

    assertThat(seen).isEmpty();
  }
}
