package io.lamina.messaging;

import static org.assertj.core.api.Assertions.assertThat;

import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import org.apache.kafka.clients.admin.Admin;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;

/** A process whose slots are mostly free is killed in the middle of its work. */
@SuppressWarnings("NullAway.Init")
class QueueKillIT {
  @RegisterExtension static final BrokerExtension BROKER = new BrokerExtension();

  private static final int SLOTS = 7;

  @TempDir Path folder;

  private static QueueWorker worker(KafkaSettings kafka, int slots, QueueHandler handler) {
    return new QueueWorker(
        kafka,
        QueueWorker.Settings.of("worker", Topic.LAYERS, Topics.CONVERTERS, slots)
            .withMaxDeliveries(9)
            .withRenewInterval(Duration.ofMillis(500)),
        handler,
        FailurePolicy.standard(),
        new SimpleMeterRegistry(),
        Clock.systemUTC(),
        new Random(1));
  }

  /** Takes one piece of work and never ends it. */
  static final class Stuck {
    private Stuck() {}

    public static void main(String[] arguments) {
      worker(
              KafkaSettings.of(arguments[0], "stuck"),
              SLOTS,
              delivery -> {
                try {
                  Files.createFile(Path.of(arguments[1]));
                } catch (IOException e) {
                  throw new UncheckedIOException(e);
                }
                while (true) {
                  LockSupport.park();
                }
              })
          .start();
    }
  }

  private static int members() {
    try (Admin admin = new KafkaClients(BROKER.kafka("admin")).admin()) {
      return KafkaFailures.await(
              "describe the group",
              admin.describeShareGroups(List.of(Topics.CONVERTERS)).all(),
              Duration.ofSeconds(20))
          .values()
          .stream()
          .mapToInt(group -> group.members().size())
          .sum();
    }
  }

  @Test
  void oneKillCostsNoMoreDeliveriesThanThereAreSlots() throws Exception {
    Path marker = folder.resolve("in-the-middle");
    Process process =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-Xmx512m",
                "-cp",
                System.getProperty("java.class.path"),
                Stuck.class.getName(),
                BROKER.kafka("x").bootstrapServers(),
                marker.toString())
            .redirectErrorStream(true)
            .redirectOutput(folder.resolve("log").toFile())
            .start();
    try (EventProducer producer =
        new EventProducer(BROKER.kafka("test"), Clock.systemUTC(), Duration.ofSeconds(20))) {
      producer.send(List.of(Outgoing.of(SampleEvents.work(1))));
      Waiting.until("the middle of the work", Duration.ofSeconds(60), () -> Files.exists(marker));
      Waiting.until("all slots in the group", Duration.ofSeconds(60), () -> members() == SLOTS);
    } finally {
      process.destroyForcibly().waitFor();
    }

    CompletableFuture<Integer> attempt = new CompletableFuture<>();
    try (QueueWorker worker =
        worker(
            BROKER.kafka("second"),
            1,
            delivery -> {
              attempt.complete(delivery.attempt());
              return List.of();
            })) {
      worker.start();
      assertThat(attempt.get(30, TimeUnit.SECONDS)).isBetween(2, SLOTS + 1);
    }
  }
}
