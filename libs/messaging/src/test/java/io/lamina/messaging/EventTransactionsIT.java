package io.lamina.messaging;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.time.Clock;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.AlterConfigOp;
import org.apache.kafka.clients.admin.ConfigEntry;
import org.apache.kafka.common.config.ConfigResource;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

@SuppressWarnings("NullAway.Init")
class EventTransactionsIT {
  @RegisterExtension static final BrokerExtension BROKER = new BrokerExtension();

  private final List<AutoCloseable> open = new ArrayList<>();
  private EventTransactions transactions;

  @BeforeEach
  void openTransactions() {
    transactions = another(1);
  }

  @AfterEach
  void closeAll() throws Exception {
    for (AutoCloseable closeable : open.reversed()) {
      closeable.close();
    }
  }

  private EventTransactions another(long seed) {
    EventTransactions opened =
        new EventTransactions(BROKER.kafka("test"), Clock.systemUTC(), new Random(seed));
    open.add(opened);
    return opened;
  }

  /** The keys that committed records of a topic have. */
  private List<String> written(Topic topic, String prefix) throws Exception {
    ConcurrentLinkedQueue<String> keys = new ConcurrentLinkedQueue<>();
    try (TableReader reader =
        new TableReader(
            BROKER.kafka("reader"),
            "reader",
            topic,
            record -> keys.add(record.key()),
            new SimpleMeterRegistry())) {
      reader.start();
      reader.caughtUp().get(60, TimeUnit.SECONDS);
    }
    return keys.stream().filter(key -> key.startsWith(prefix)).sorted().toList();
  }

  private static Outgoing event(String repository) {
    return Outgoing.of(SampleEvents.cancel(repository, "r"));
  }

  /** A second one, for another topic. */
  private static Outgoing status(String repository) {
    return new Outgoing(Topic.STATUS, repository, event(repository).event(), Optional.empty());
  }

  private static Outgoing large(String repository) {
    byte[] noise = new byte[5_000];
    new Random(3).nextBytes(noise);
    return event(repository).tracedAs(Optional.of(HexFormat.of().formatHex(noise)));
  }

  @Test
  void writesGroupsOfManyCallersEachOnce() throws Exception {
    List<String> expected = new ArrayList<>();
    List<Future<?>> answers = new ArrayList<>();
    EventTransactions other = another(2);
    try (ExecutorService callers = Executors.newVirtualThreadPerTaskExecutor()) {
      for (int i = 100; i < 400; i++) {
        String name = "many" + i + ".org";
        expected.add(name);
        EventTransactions one = i % 2 == 0 ? transactions : other;
        answers.add(callers.submit(() -> one.send(List.of(status(name), event(name)))));
      }
    }
    for (Future<?> answer : answers) {
      answer.get();
    }

    assertThat(written(Topic.REPOSITORY, "many")).isEqualTo(expected);
    assertThat(written(Topic.STATUS, "many")).isEqualTo(expected);
  }

  @Test
  void writesNothingOfARefusedGroupAndAllOfThoseBesideIt() throws Exception {
    limit(Topic.REPOSITORY, 4_000);
    List<Future<?>> answers = new ArrayList<>();
    Future<?> refused;
    try (ExecutorService callers = Executors.newVirtualThreadPerTaskExecutor()) {
      for (int i = 0; i < 20; i++) {
        String name = "fits" + (char) ('a' + i) + ".org";
        answers.add(callers.submit(() -> transactions.send(List.of(status(name), event(name)))));
      }
      refused =
          callers.submit(() -> transactions.send(List.of(status("large.org"), large("large.org"))));
    } finally {
      limit(Topic.REPOSITORY, 9 << 20);
    }

    assertThatThrownBy(refused::get).hasCauseInstanceOf(MessagingException.Rejected.class);
    for (Future<?> answer : answers) {
      answer.get();
    }
    assertThat(written(Topic.STATUS, "fits")).hasSize(20);
    assertThat(written(Topic.REPOSITORY, "fits")).hasSize(20);
    assertThat(written(Topic.STATUS, "large")).isEmpty();
    assertThat(written(Topic.REPOSITORY, "large")).isEmpty();
  }

  @Test
  void goesOnWhenTheBrokerWasAway() throws Exception {
    transactions.send(List.of(event("before.org")));
    BROKER.restart();

    int tries = IntStream.rangeClosed(1, 10).filter(i -> isSent("after.org")).findFirst().orElse(0);

    assertThat(tries).isPositive();
    assertThat(written(Topic.REPOSITORY, "after")).isNotEmpty();
    assertThat(written(Topic.REPOSITORY, "before")).hasSize(1);
  }

  private boolean isSent(String repository) {
    try {
      transactions.send(List.of(event(repository)));
      return true;
    } catch (MessagingException.Retryable | MessagingException.OutcomeUnknown e) {
      return false;
    }
  }

  @Test
  void refusesWhatComesAfterItsEnd() {
    transactions.send(List.of(event("last.org")));
    transactions.close();

    assertThatThrownBy(() -> transactions.send(List.of(event("late.org"))))
        .isInstanceOf(MessagingException.Retryable.class)
        .hasMessageContaining("the process stops");
  }

  private static void limit(Topic topic, int recordBytes) throws Exception {
    try (Admin admin = new KafkaClients(BROKER.kafka("test")).admin()) {
      admin
          .incrementalAlterConfigs(
              Map.of(
                  new ConfigResource(ConfigResource.Type.TOPIC, topic.topicName()),
                  List.of(
                      new AlterConfigOp(
                          new ConfigEntry("max.message.bytes", Integer.toString(recordBytes)),
                          AlterConfigOp.OpType.SET))))
          .all()
          .get(30, TimeUnit.SECONDS);
    }
  }
}
