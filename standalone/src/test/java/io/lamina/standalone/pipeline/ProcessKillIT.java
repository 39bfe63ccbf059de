package io.lamina.standalone.pipeline;

import static io.lamina.standalone.pipeline.TestRepository.assertDone;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import io.lamina.image.Digest;
import io.lamina.image.testing.ImageBuilder;
import io.lamina.image.testing.ImageFiles;
import io.lamina.image.testing.TarBuilder.Compression;
import io.lamina.image.testing.TestImage;
import io.lamina.standalone.LoneProcess.Kind;
import io.lamina.standalone.client.GatewayClient;
import io.lamina.standalone.process.LaminaProcess;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.CleanupMode;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Each process alone, killed or stopped at any moment: nothing is lost or published twice. */
@Timeout(400)
@SuppressWarnings("NullAway.Init")
class ProcessKillIT {
  private static final int LONGEST_PAUSE_MILLIS = 1_500;
  private static final Map<String, Kind> ONE_OF_EACH =
      Map.of(
          "gateway", Kind.GATEWAY,
          "converter-1", Kind.CONVERTER,
          "publisher-1", Kind.PUBLISHER);
  private static final Map<String, Kind> TWO_WORKERS_OF_EACH =
      Map.of(
          "gateway", Kind.GATEWAY,
          "converter-1", Kind.CONVERTER,
          "converter-2", Kind.CONVERTER,
          "publisher-1", Kind.PUBLISHER,
          "publisher-2", Kind.PUBLISHER);

  @TempDir(cleanup = CleanupMode.ON_SUCCESS)
  static Path folder;

  private static Cluster cluster;

  @BeforeAll
  static void start() throws IOException {
    cluster = new Cluster(folder);
  }

  @AfterAll
  static void stop() {
    cluster.close();
  }

  static List<Long> seeds() {
    return List.of(Long.getLong("lamina.seed", 1));
  }

  @ParameterizedTest(name = "seed {0}")
  @MethodSource("seeds")
  void completesEveryRequestThoughEachProcessIsKilledInTurn(long seed) throws Exception {
    Random random = new Random(seed);
    cluster.run(ONE_OF_EACH);
    try (Asked asked = new Asked("killed.lamina.test")) {
      List<String> victims = new ArrayList<>(ONE_OF_EACH.keySet());
      Collections.sort(victims);
      Collections.shuffle(victims, random);
      for (String victim : victims) {
        asked.image(random);
        asked.image(random);
        TimeUnit.MILLISECONDS.sleep(random.nextInt(LONGEST_PAUSE_MILLIS));
        cluster.kill(victim);
        cluster.restart(victim);
      }
      asked.assertAllPublishedOnce();
    }
  }

  @ParameterizedTest(name = "seed {0}")
  @MethodSource("seeds")
  void othersTakeOverFromThoseWhoAreKilledForGood(long seed) throws Exception {
    Random random = new Random(seed);
    cluster.run(TWO_WORKERS_OF_EACH);
    try (Asked asked = new Asked("survived.lamina.test")) {
      asked.image(random);
      asked.image(random);
      asked.image(random);
      TimeUnit.MILLISECONDS.sleep(random.nextInt(LONGEST_PAUSE_MILLIS));
      cluster.kill("converter-" + (1 + random.nextInt(2)));
      asked.image(random);
      String owner = owner(asked.repository);
      TimeUnit.MILLISECONDS.sleep(random.nextInt(LONGEST_PAUSE_MILLIS));
      cluster.kill(owner);
      asked.image(random);

      asked.assertAllPublishedOnce();
      assertThat(owner(asked.repository)).isNotEqualTo(owner);
    }
  }

  /**
   * The owner is stopped while it waits for its turn to replace the manifest, for longer than its
   * session lasts. Its successor publishes the same image and then a newer one of that name; the
   * former owner, when it goes on, must not bring the older one back.
   */
  @Test
  void doesNotUndoWhatItsSuccessorPublishedWhenAStoppedPublisherGoesOn() throws Exception {
    cluster.run(ONE_OF_EACH);
    LaminaProcess first = cluster.process("publisher-1");
    try (Asked asked = new Asked("stopped.lamina.test")) {
      Path lock =
          cluster
              .data()
              .resolve("cvmfs/" + asked.repository.name() + "/data/txn")
              .resolve(
                  "lock-"
                      + Digest.sha256(".cvmfspublished".getBytes(StandardCharsets.UTF_8))
                          .hex()
                          .substring(0, 32))
              .toRealPath();
      JsonNode older;
      try (FileChannel channel = FileChannel.open(lock, StandardOpenOption.WRITE);
          FileLock held = channel.lock()) {
        assertThat(held.isValid()).isTrue();
        older = asked.image("app", 1);
        Cluster.await("the publisher replaces the manifest", () -> first.hasOpen(lock));
        first.pause();
      }
      Map<String, Kind> both = new TreeMap<>(ONE_OF_EACH);
      both.put("publisher-2", Kind.PUBLISHER);
      cluster.run(both);
      Cluster.await(
          "the second publisher has the repository",
          () -> cluster.publisherOf(asked.repository.name()).equals(Optional.of("publisher-2")));
      assertDone(asked.end(older));
      assertDone(asked.end(asked.image("app", 2)));

      first.resume();
      Cluster.await(
          "the first publisher is in the group again", () -> cluster.publishers().size() == 2);
      assertDone(asked.end(asked.image("other", 1)));
      cluster.kill("publisher-2");

      assertDone(asked.end(asked.image("last", 1)));
      asked.assertAllPublishedOnce();
    } finally {
      first.resume();
    }
  }

  private static String owner(TestRepository repository) {
    Cluster.await(
        "some publisher has the repository",
        () -> cluster.publisherOf(repository.name()).isPresent());
    return cluster.publisherOf(repository.name()).orElseThrow();
  }

  /** What was asked for, and what must have come of it. */
  private static final class Asked implements AutoCloseable {
    private final TestRepository repository;
    private final GatewayClient gateway = cluster.gateway();
    private final List<JsonNode> accepted = new ArrayList<>();
    private final Map<String, String> newest = new LinkedHashMap<>();

    Asked(String name) {
      repository = new TestRepository(name);
      cluster.awaitReady(gateway);
      repository.create(gateway);
    }

    JsonNode end(JsonNode request) {
      return TestRepository.end(gateway, request);
    }

    @Override
    public void close() {
      gateway.close();
    }

    JsonNode image(Random random) throws IOException {
      return image("image" + accepted.size(), random.nextInt(1000));
    }

    /**
     * @param version another version of an image replaces the one before
     */
    JsonNode image(String name, int version) throws IOException {
      TestImage image =
          ImageBuilder.oci()
              .layer(Compression.GZIP, SampleImages.base("common"))
              .layer(Compression.GZIP, SampleImages.part(name + "-" + version, 150))
              .layer(Compression.ZSTD, SampleImages.changes("common", name + version))
              .build();
      Path images = Files.createDirectories(cluster.images().resolve(repository.name().value()));
      Path layout = images.resolve(name + "-" + version);
      ImageFiles.writeOciLayout(layout, Map.of("latest", image));
      Path link = images.resolve(name);
      Path next = images.resolve(name + ".next");
      Files.createSymbolicLink(next, layout);
      Files.move(next, link, java.nio.file.StandardCopyOption.ATOMIC_MOVE);
      String reference = "oci:" + link + ":latest";
      JsonNode request = cluster.convert(gateway, repository, reference, name + "-" + version);
      accepted.add(request);
      newest.put("oci:" + layout + ":latest", "/local/" + name + ":latest");
      if (version > 1) {
        newest.remove("oci:" + images.resolve(name + "-" + (version - 1)) + ":latest");
      }
      return request;
    }

    void assertAllPublishedOnce() throws Exception {
      for (JsonNode request : accepted) {
        assertDone(end(request));
      }
      TestRepository.Place place = cluster.place(repository);
      PublishedJournal journal = PublishedJournal.read(cluster.kafka(), repository.name());
      journal.assertUnbrokenUpTo(repository.read(place, reader -> reader.manifest()));
      journal.assertEachOnce(accepted.stream().map(r -> r.path("id").asText()).toList());
      journal.assertNothingPublishedTwice();
      repository.assertIntact(place);
      newest.forEach(
          (image, path) ->
              repository.assertShows(
                  place,
                  io.lamina.image.registry.RegistrySettings.DEFAULT,
                  image,
                  io.lamina.image.Platform.LINUX_AMD64,
                  path));
    }
  }
}
