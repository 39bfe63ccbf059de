package io.lamina.messaging.broker;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.lamina.messaging.EventProducer;
import io.lamina.messaging.KafkaSettings;
import io.lamina.messaging.MessagingException;
import io.lamina.messaging.Outgoing;
import io.lamina.messaging.SampleEvents;
import io.lamina.messaging.TableReader;
import io.lamina.messaging.Topic;
import io.lamina.messaging.TopicSettings;
import io.lamina.messaging.Topics;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class EmbeddedBrokerIT {
  @TempDir Path folder;

  private static Set<String> keysOf(EmbeddedBroker broker, Topic topic) throws Exception {
    Set<String> keys = ConcurrentHashMap.newKeySet();
    try (TableReader reader =
        new TableReader(
            KafkaSettings.of(broker.bootstrapServers(), "reader"),
            "reader",
            topic,
            r -> keys.add(r.key()),
            new SimpleMeterRegistry())) {
      reader.start();
      reader.caughtUp().get(60, TimeUnit.SECONDS);
    }
    return keys;
  }

  /** Writes events and says how many are acknowledged, until it is killed. */
  static final class Killed {
    private Killed() {}

    public static void main(String[] arguments) {
      EmbeddedBroker broker =
          EmbeddedBroker.start(EmbeddedBroker.Settings.in(Path.of(arguments[0])));
      KafkaSettings kafka = KafkaSettings.of(broker.bootstrapServers(), "killed");
      new Topics(kafka, TopicSettings.embedded()).ensure();
      EventProducer producer = new EventProducer(kafka, Clock.systemUTC(), Duration.ofSeconds(30));
      for (int i = 0; ; i++) {
        producer.send(Outgoing.of(SampleEvents.cancel("r" + i + ".example.org", "r")));
        System.out.println(i);
      }
    }
  }

  @Test
  void keepsEverythingThatWasAcknowledgedWhenItIsKilled() throws Exception {
    Path out = folder.resolve("out");
    Process process =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "--enable-native-access=ALL-UNNAMED",
                "-cp",
                System.getProperty("java.class.path"),
                Killed.class.getName(),
                folder.resolve("kafka").toString())
            .redirectOutput(out.toFile())
            .redirectError(ProcessBuilder.Redirect.DISCARD)
            .start();
    while (Files.size(out) < 200 && process.isAlive()) {
      TimeUnit.MILLISECONDS.sleep(5);
    }
    process.destroyForcibly().waitFor();
    int acknowledged = (int) Files.readString(out).lines().count() - 1;

    long start = System.nanoTime();
    try (EmbeddedBroker broker =
        EmbeddedBroker.start(EmbeddedBroker.Settings.in(folder.resolve("kafka")))) {
      Set<String> keys = keysOf(broker, Topic.REPOSITORY);
      System.out.println(
          "after a kill the broker served "
              + keys.size()
              + " records in "
              + Duration.ofNanos(System.nanoTime() - start).toMillis()
              + " ms");
      assertThat(acknowledged).isPositive();
      assertThat(keys)
          .containsAll(
              IntStream.range(0, acknowledged)
                  .mapToObj(i -> "r" + i + ".example.org")
                  .collect(Collectors.toSet()));
    }
  }

  @Test
  void startsAgainOnItsFolderWithItsTopics() throws Exception {
    int port;
    try (EmbeddedBroker broker = EmbeddedBroker.start(EmbeddedBroker.Settings.in(folder))) {
      port = broker.port();
      KafkaSettings kafka = KafkaSettings.of(broker.bootstrapServers(), "first");
      new Topics(kafka, TopicSettings.embedded()).ensure();
      try (EventProducer producer =
          new EventProducer(kafka, Clock.systemUTC(), Duration.ofSeconds(30))) {
        producer.send(Outgoing.of(SampleEvents.cancel("kept.example.org", "r")));
      }
    }

    try (EmbeddedBroker broker =
        EmbeddedBroker.start(new EmbeddedBroker.Settings(folder, port, Map.of()))) {
      assertThat(broker.bootstrapServers()).isEqualTo("127.0.0.1:" + port);
      new Topics(KafkaSettings.of(broker.bootstrapServers(), "again"), TopicSettings.embedded())
          .ensure();
      assertThat(keysOf(broker, Topic.REPOSITORY)).containsExactly("kept.example.org");
    }
  }

  @Test
  void saysThatAnotherBrokerHasItsFolder() {
    try (EmbeddedBroker first = EmbeddedBroker.start(EmbeddedBroker.Settings.in(folder))) {
      assertThatThrownBy(() -> EmbeddedBroker.start(EmbeddedBroker.Settings.in(folder)))
          .isInstanceOf(MessagingException.Rejected.class)
          .hasMessageContaining(folder.toString())
          .hasMessageContaining("lock");
      assertThat(first.port()).isPositive();
    }
  }

  @Test
  void saysThatItsPortIsTaken() throws Exception {
    try (ServerSocket taken = new ServerSocket(0, 1, InetAddress.getByName("127.0.0.1"))) {
      assertThatThrownBy(
              () ->
                  EmbeddedBroker.start(
                      new EmbeddedBroker.Settings(folder, taken.getLocalPort(), Map.of())))
          .isInstanceOf(MessagingException.Rejected.class)
          .hasMessageContaining("in use");
    }
  }
}
