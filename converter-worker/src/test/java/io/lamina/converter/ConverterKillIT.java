package io.lamina.converter;

import static org.assertj.core.api.Assertions.assertThat;

import io.lamina.image.Platform;
import io.lamina.image.testing.ImageBuilder;
import io.lamina.image.testing.ImageFiles;
import io.lamina.image.testing.TarBuilder.Compression;
import io.lamina.image.testing.TestImage;
import io.lamina.messaging.event.Event.ConversionRequested;
import io.lamina.messaging.event.Event.ImagePlanned;
import io.lamina.messaging.event.Event.LayerConverted;
import io.lamina.messaging.event.Event.LayerRequested;
import io.lamina.messaging.event.Event.RequestStatus;
import io.lamina.messaging.event.Event.WorkFailed;
import io.lamina.messaging.event.RequestId;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** A process of its own, killed in the middle of its work; another one goes on. */
@Timeout(300)
@SuppressWarnings("NullAway.Init")
class ConverterKillIT {
  @TempDir static Path folder;
  private static Cluster cluster;
  private static DataFolder data;

  @BeforeAll
  static void start() {
    cluster = new Cluster(folder.resolve("kafka"));
    data = DataFolder.create(folder.resolve("data"));
  }

  @AfterAll
  static void stop() {
    data.close();
    cluster.close();
  }

  private static TestImage image() {
    byte[] noise = new byte[3_000_000];
    new Random(11).nextBytes(noise);
    return ImageBuilder.oci()
        .layer(
            Compression.GZIP,
            tar -> {
              tar.directory("opt", 0755);
              for (int i = 0; i < 200; i++) {
                tar.file("opt/file-" + i, 0644, "content " + i);
              }
              tar.file("opt/noise", 0600, noise);
              tar.file("opt/other-noise", 0600, noise.clone());
            })
        .build();
  }

  /** Until it is in the middle of its work; then kills it. */
  private static void killInTheMiddle(String instance) throws IOException, InterruptedException {
    Path marker = folder.resolve("in-the-middle-" + instance);
    Process process =
        new ProcessBuilder(
                List.of(
                    Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                    "-Xmx512m",
                    "--enable-native-access=ALL-UNNAMED",
                    "-cp",
                    System.getProperty("java.class.path"),
                    StuckConverter.class.getName(),
                    cluster.kafka("x").bootstrapServers(),
                    folder.resolve("data").toString(),
                    folder.toString(),
                    instance,
                    marker.toString()))
            .redirectErrorStream(true)
            .redirectOutput(folder.resolve("child-" + instance + ".log").toFile())
            .start();
    try {
      Waiting.until(
          "the middle of the work",
          () -> {
            assertThat(process.isAlive())
                .as("the child process, which said:%n%s", log(instance))
                .isTrue();
            return Files.exists(marker);
          });
    } finally {
      process.destroyForcibly();
      assertThat(process.waitFor(20, TimeUnit.SECONDS)).isTrue();
    }
  }

  private static String log(String instance) {
    try {
      return Files.readString(folder.resolve("child-" + instance + ".log"));
    } catch (IOException e) {
      return e.toString();
    }
  }

  @Test
  void anotherConverterCompletesALayerWhoseConverterWasKilled() throws Exception {
    TestImage image = image();
    Path layout = folder.resolve("layer");
    ImageFiles.writeOciLayout(layout, Map.of("v1", image));
    LayerRequested work =
        new LayerRequested(
            DataFolder.NAME, image.layers().getFirst(), "oci:" + layout + ":v1", 1_767_000_000L);
    cluster.say(work);

    killInTheMiddle("layers");

    assertThat(cluster.all(LayerConverted.class, _ -> true)).isEmpty();
    try (var _ =
        new Converters(
            cluster.kafka("second"),
            data.stores(),
            folder,
            ConverterIT.settings(4).named("second"))) {
      LayerConverted afterKill =
          cluster.await(LayerConverted.class, r -> r.layer().equals(work.layer()));

      cluster.say(work);
      Waiting.until(
          "a second result",
          () -> cluster.all(LayerConverted.class, r -> r.layer().equals(work.layer())).size() == 2);
      LayerConverted undisturbed =
          cluster.all(LayerConverted.class, r -> r.layer().equals(work.layer())).getLast();
      assertThat(afterKill.graft()).isEqualTo(undisturbed.graft());
      assertThat(undisturbed.figures().newObjects()).isZero();
      assertThat(cluster.all(WorkFailed.class, _ -> true)).isEmpty();
    }
  }

  @Test
  void plansAgainWhatAKilledConverterHadBegun() throws Exception {
    TestImage image = image();
    Path layout = folder.resolve("plan");
    ImageFiles.writeOciLayout(layout, Map.of("v1", image));
    RequestId id = new RequestId("killed");
    cluster.say(
        new ConversionRequested(
            id,
            DataFolder.NAME,
            "oci:" + layout + ":v1",
            List.of(Platform.LINUX_AMD64),
            Optional.empty(),
            Instant.parse("2026-01-02T03:04:05Z")));

    killInTheMiddle("plans");

    assertThat(cluster.all(ImagePlanned.class, _ -> true)).isEmpty();
    try (var _ =
        new Converters(
            cluster.kafka("first-again"),
            data.stores(),
            folder,
            ConverterIT.settings(4).named("plans"))) {
      ImagePlanned planned = cluster.await(ImagePlanned.class, p -> p.request().equals(id));

      assertThat(planned.platforms().getFirst().imageId()).isEqualTo(image.configDigest());
      assertThat(cluster.await(RequestStatus.class, s -> s.request().equals(id)).state())
          .isEqualTo(RequestStatus.State.PLANNED);
      assertThat(cluster.all(ImagePlanned.class, _ -> true)).hasSize(1);
    }
  }
}
