package io.lamina.messaging;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

@SuppressWarnings("NullAway.Init")
class TopicFollowerIT {
  @RegisterExtension static final BrokerExtension BROKER = new BrokerExtension();

  private final List<AutoCloseable> open = new ArrayList<>();
  private EventProducer producer;

  /** What it read. */
  private static final class Seen implements TopicFollower.Reader {
    final List<String> keys = Collections.synchronizedList(new ArrayList<>());
    final AtomicInteger gaps = new AtomicInteger();
    final CountDownLatch ready = new CountDownLatch(1);

    @Override
    public void accept(Received record) {
      keys.add(record.key());
      if (record.key().equals("bad.org")) {
        throw new IllegalStateException("cannot read this");
      }
    }

    @Override
    public void missed() {
      gaps.incrementAndGet();
      ready.countDown();
    }
  }

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

  private TopicFollower follower(Map<Integer, Long> remembered, Seen seen) throws Exception {
    TopicFollower follower =
        new TopicFollower(BROKER.kafka("follower"), "follower", Topic.REPOSITORY, remembered, seen);
    open.add(follower);
    follower.start();
    assertThat(seen.ready.await(60, TimeUnit.SECONDS)).isTrue();
    return follower;
  }

  private void send(String... repositories) {
    for (String repository : repositories) {
      producer.send(Outgoing.of(SampleEvents.cancel(repository, "r")));
    }
  }

  @Test
  void beginsAtTheEnd() throws Exception {
    send("old1.org", "old2.org");
    Seen seen = new Seen();
    TopicFollower follower = follower(Map.of(), seen);

    send("new.org");

    Waiting.until("the new record", () -> seen.keys.contains("new.org"));
    assertThat(seen.keys).containsExactly("new.org");
    Waiting.until("no lag", () -> follower.progress().behindRecords().equals(OptionalLong.of(0)));
    assertThat(follower.progress().isConnected()).isTrue();
  }

  @Test
  void goesOnWhereAnotherOneStopped() throws Exception {
    Seen first = new Seen();
    TopicFollower before = follower(Map.of(), first);
    send("m1.org");
    Waiting.until("the first record", () -> first.keys.contains("m1.org"));
    before.close();
    send("m2.org", "m3.org");

    Seen second = new Seen();
    follower(before.progress().positions(), second);

    Waiting.until("both", () -> second.keys.containsAll(List.of("m2.org", "m3.org")));
    assertThat(second.keys).doesNotContain("m1.org");
  }

  @Test
  void beginsAtTheEndWhereTheRememberedPositionIsNot() throws Exception {
    Seen seen = new Seen();

    follower(Map.of(0, 1_000_000L, 1, 1_000_000L, 2, 1_000_000L), seen);
    send("p1.org");

    Waiting.until("the record", () -> seen.keys.contains("p1.org"));
  }

  @Test
  void passesOverWhatIsNoEventAndWhatItsReaderCannotTake() throws Exception {
    Seen seen = new Seen();
    follower(Map.of(), seen);

    for (int partition = 0; partition < BrokerExtension.PARTITIONS; partition++) {
      producer.sendRecords(
          List.of(
              new ProducerRecord<>(
                  Topic.REPOSITORY.topicName(),
                  partition,
                  "junk".getBytes(StandardCharsets.UTF_8),
                  new byte[] {1, 2, 3})));
    }
    send("bad.org", "good.org");

    Waiting.until("what follows", () -> seen.keys.contains("good.org"));
    assertThat(seen.keys).contains("bad.org").doesNotContain("junk");
  }

  @Test
  void goesOnWhenTheBrokerComesBack() throws Exception {
    Seen seen = new Seen();
    TopicFollower follower = follower(Map.of(), seen);
    send("b1.org");
    Waiting.until("the first record", () -> seen.keys.contains("b1.org"));

    BROKER.restart();
    send("b2.org");

    Waiting.until("what came after", Duration.ofSeconds(90), () -> seen.keys.contains("b2.org"));
    assertThat(seen.keys).doesNotHaveDuplicates();
    Waiting.until("the connection", () -> follower.progress().isConnected());
  }

  @Test
  void waitsForABrokerThatIsNotThere() {
    TopicFollower follower =
        new TopicFollower(
            KafkaSettings.of("127.0.0.1:1", "nobody"),
            "nobody",
            Topic.REPOSITORY,
            Map.of(0, 7L),
            new Seen());
    open.add(follower);

    follower.start();

    assertThat(follower.progress().isConnected()).isFalse();
    assertThat(follower.progress().behindRecords()).isEmpty();
    assertThat(follower.progress().positions()).containsExactlyEntriesOf(Map.of(0, 7L));
  }
}
