package io.lamina.node.events;

import static org.assertj.core.api.Assertions.assertThat;

import io.lamina.cvmfs.ContentHash;
import io.lamina.cvmfs.RepositoryName;
import io.lamina.messaging.EventProducer;
import io.lamina.messaging.KafkaSettings;
import io.lamina.messaging.Outgoing;
import io.lamina.messaging.Topic;
import io.lamina.messaging.TopicSettings;
import io.lamina.messaging.Topics;
import io.lamina.messaging.broker.EmbeddedBroker;
import io.lamina.messaging.event.Event;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** The journal of a real broker, which goes away and comes back. */
@SuppressWarnings("NullAway.Init")
@Timeout(240)
class KafkaPublicationsIT {
  @TempDir Path folder;

  private final List<AutoCloseable> open = new ArrayList<>();
  private EmbeddedBroker broker;

  /** What a source told. */
  private static final class Heard implements PublicationListener {
    final BlockingQueue<String> news = new LinkedBlockingQueue<>();

    @Override
    public void published(String repository, long revision) {
      news.add(repository + "@" + revision);
    }

    @Override
    public void missed() {
      news.add("missed");
    }

    String next() throws InterruptedException {
      return String.valueOf(news.poll(120, TimeUnit.SECONDS));
    }
  }

  @BeforeEach
  void start() {
    broker = EmbeddedBroker.start(EmbeddedBroker.Settings.in(folder.resolve("kafka")));
    new Topics(kafka(), TopicSettings.embedded()).ensure();
  }

  private KafkaSettings kafka() {
    return KafkaSettings.of(broker.bootstrapServers(), "test");
  }

  @AfterEach
  void stop() throws Exception {
    for (AutoCloseable closeable : open.reversed()) {
      closeable.close();
    }
    broker.close();
  }

  private KafkaPublications follow(Heard heard) {
    KafkaPublications source = new KafkaPublications(kafka(), folder.resolve("publications.json"));
    open.add(source);
    source.start(heard);
    return source;
  }

  private void publish(String repository, long revision) {
    try (EventProducer producer =
        new EventProducer(kafka(), Clock.systemUTC(), Duration.ofSeconds(120))) {
      producer.send(
          Outgoing.of(
              new Event.TransactionPublished(
                  new RepositoryName(repository),
                  revision,
                  1_700_000_000,
                  ContentHash.parse("1".repeat(40)),
                  ContentHash.parse("2".repeat(40)),
                  1,
                  List.of(),
                  List.of())));
    }
  }

  @Test
  void tellsOfEachPublication() throws InterruptedException {
    Heard heard = new Heard();
    KafkaPublications source = follow(heard);
    assertThat(heard.next()).isEqualTo("missed");

    publish("a.example.org", 5);
    publish("a.example.org", 6);

    assertThat(heard.next()).isEqualTo("a.example.org@5");
    assertThat(heard.next()).isEqualTo("a.example.org@6");
    while (!source.progress().equals(new PublicationSource.Progress(true, OptionalLong.of(0)))) {
      TimeUnit.MILLISECONDS.sleep(50);
    }
  }

  @Test
  void goesOnWhereTheLastProcessStopped() throws Exception {
    Heard first = new Heard();
    KafkaPublications before = follow(first);
    assertThat(first.next()).isEqualTo("missed");
    publish("a.example.org", 1);
    assertThat(first.next()).isEqualTo("a.example.org@1");
    before.close();
    publish("a.example.org", 2);

    Heard second = new Heard();
    follow(second);

    assertThat(second.next()).isEqualTo("missed");
    assertThat(second.next()).isEqualTo("a.example.org@2");
  }

  @Test
  void hearsAgainWhenTheBrokerComesBack() throws InterruptedException {
    Heard heard = new Heard();
    KafkaPublications source = follow(heard);
    assertThat(heard.next()).isEqualTo("missed");
    int port = broker.port();
    broker.close();
    while (source.progress().isConnected()) {
      TimeUnit.MILLISECONDS.sleep(50);
    }

    broker =
        EmbeddedBroker.start(new EmbeddedBroker.Settings(folder.resolve("kafka"), port, Map.of()));
    publish("b.example.org", 7);

    assertThat(heard.next()).isEqualTo("b.example.org@7");
  }

  @Test
  void passesOverWhatIsNoEventOfThisJournal() throws InterruptedException {
    Heard heard = new Heard();
    follow(heard);
    assertThat(heard.next()).isEqualTo("missed");
    try (KafkaProducer<byte[], byte[]> producer =
        new KafkaProducer<>(
            Map.of("bootstrap.servers", broker.bootstrapServers()),
            new ByteArraySerializer(),
            new ByteArraySerializer())) {
      for (int partition = 0; partition < 4; partition++) {
        producer.send(
            new ProducerRecord<>(
                Topic.PUBLISHED.topicName(),
                partition,
                "junk".getBytes(StandardCharsets.UTF_8),
                new byte[] {'{', '"', 0}));
      }
    }

    publish("c.example.org", 1);

    assertThat(heard.next()).isEqualTo("c.example.org@1");
  }

  @Test
  void beginsAtTheEndWhenWhatItRememberedIsDamaged() throws Exception {
    publish("d.example.org", 1);
    Files.writeString(folder.resolve("publications.json"), "{\"version\":1,\"positions\":");
    Heard heard = new Heard();

    follow(heard);

    assertThat(heard.next()).isEqualTo("missed");
    publish("d.example.org", 2);
    assertThat(heard.next()).isEqualTo("d.example.org@2");
  }
}
