package io.lamina.standalone.process;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.lamina.image.testing.ImageBuilder;
import io.lamina.image.testing.ImageFiles;
import io.lamina.image.testing.TarBuilder;
import io.lamina.image.testing.TestImage;
import io.lamina.standalone.client.GatewayClient;
import io.lamina.standalone.client.RequestFollower;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Everything in one process, killed at any moment: nothing is lost, nothing is published twice. */
class KillIT {
  private static final String REPOSITORY = "kill.lamina.test";
  private static final int IMAGES = 6;
  private static final int KILLS = 4;
  private static final Duration PATIENCE = Duration.ofMinutes(4);

  @TempDir Path folder;

  @ParameterizedTest(name = "seed {0}")
  @ValueSource(longs = 1)
  void completesEveryRequestAndPublishesNothingTwice(long seed) throws Exception {
    Random random = new Random(seed);
    Path data = folder.resolve("data");
    List<Path> layouts = images(random);
    List<String> accepted = new ArrayList<>();

    LaminaProcess lamina = LaminaProcess.up(data);
    try {
      create(lamina);
      for (Path layout : layouts) {
        accepted.add(convert(lamina, layout));
      }
      for (int kill = 0; kill < KILLS; kill++) {
        TimeUnit.MILLISECONDS.sleep(random.nextInt(1_500));
        lamina.kill();
        lamina = LaminaProcess.up(data);
      }
      try (GatewayClient gateway = lamina.client()) {
        for (String self : accepted) {
          JsonNode end =
              lamina.within(
                  PATIENCE, () -> new RequestFollower(gateway).follow(self, request -> {}));
          assertThat(end.path("state").asText()).as(end.toString()).isEqualTo("done");
        }
        assertPublishedOnce(gateway.fetch("/api/v1/repositories/" + REPOSITORY));
      }
    } finally {
      lamina.close();
    }
    for (Path layout : layouts) {
      LaminaProcess.Result check =
          LaminaProcess.run(
              "check", data.resolve("cvmfs/" + REPOSITORY).toString(), "--image", "oci:" + layout);
      assertThat(check.exitCode()).as(check.out()).isZero();
    }
  }

  /** Revisions follow each other without a gap, and each of them changed something. */
  private static void assertPublishedOnce(JsonNode repository) {
    List<Long> revisions = new ArrayList<>();
    for (JsonNode revision : repository.path("revisions")) {
      revisions.add(revision.path("revision").asLong());
      assertThat(revision.path("changes").asInt()).as(repository.toString()).isPositive();
    }
    assertThat(revisions).as(repository.toString()).doesNotHaveDuplicates().isNotEmpty();
    assertThat(revisions.getFirst() - revisions.getLast()).isEqualTo(revisions.size() - 1);
    assertThat(repository.path("revision").asLong()).isEqualTo(revisions.getFirst());
  }

  private static void create(LaminaProcess lamina) {
    try (GatewayClient gateway = lamina.client()) {
      gateway.post(
          "/api/v1/repositories",
          new ObjectMapper().createObjectNode().put("name", REPOSITORY),
          Map.of());
    }
  }

  private static String convert(LaminaProcess lamina, Path layout) {
    ObjectNode body = new ObjectMapper().createObjectNode();
    body.put("image", "oci:" + layout).put("repository", REPOSITORY);
    try (GatewayClient gateway = lamina.client()) {
      return gateway
          .post("/api/v1/conversions", body, Map.of())
          .path("links")
          .path("self")
          .asText();
    }
  }

  /** Images that share their lowest layer. */
  private List<Path> images(Random random) {
    List<Path> layouts = new ArrayList<>();
    for (int i = 0; i < IMAGES; i++) {
      int number = i;
      TestImage image =
          ImageBuilder.oci()
              .layer(TarBuilder.Compression.GZIP, tar -> files(tar, "base", new Random(7), 200))
              .layer(
                  TarBuilder.Compression.GZIP,
                  tar -> files(tar, "app" + number, new Random(random.nextLong()), 100))
              .layer(TarBuilder.Compression.ZSTD, tar -> tar.whiteout("base/file-3"))
              .build();
      Path layout = folder.resolve("image" + i);
      ImageFiles.writeOciLayout(layout, Map.of("latest", image));
      layouts.add(layout);
    }
    return layouts;
  }

  private static void files(TarBuilder tar, String directory, Random random, int count) {
    tar.directory(directory, 0755);
    for (int i = 0; i < count; i++) {
      byte[] content = new byte[random.nextInt(40_000)];
      random.nextBytes(content);
      tar.file(directory + "/file-" + i, 0644, content);
    }
  }
}
