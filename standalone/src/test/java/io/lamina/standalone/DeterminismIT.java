package io.lamina.standalone;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.lamina.cvmfs.RepositoryName;
import io.lamina.cvmfs.RepositoryPath;
import io.lamina.cvmfs.catalog.CatalogEntry;
import io.lamina.cvmfs.reader.LocalRepositoryFiles;
import io.lamina.cvmfs.reader.ReaderSettings;
import io.lamina.cvmfs.reader.RepositoryFiles;
import io.lamina.cvmfs.reader.RepositoryReader;
import io.lamina.cvmfs.signing.MasterKeys;
import io.lamina.image.testing.ImageBuilder;
import io.lamina.image.testing.ImageFiles;
import io.lamina.image.testing.TarBuilder;
import io.lamina.standalone.client.GatewayClient;
import io.lamina.standalone.client.RequestFollower;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Same images and same recorded times: the same tree with the same objects, whatever keys and
 * timing.
 */
class DeterminismIT {
  private static final RepositoryName REPOSITORY = new RepositoryName("same.lamina.test");
  private static final Clock FIXED =
      Clock.fixed(Instant.parse("2026-01-02T03:04:05Z"), ZoneOffset.UTC);

  @TempDir Path folder;

  @Test
  void twoSitesPublishTheSameTreeOfTheSameObjects() {
    for (int i = 0; i < 3; i++) {
      int number = i;
      ImageFiles.writeOciLayout(
          folder.resolve("image" + i),
          Map.of(
              "latest",
              ImageBuilder.oci()
                  .layer(TarBuilder.Compression.GZIP, tar -> files(tar, "base", 5, 150))
                  .layer(TarBuilder.Compression.GZIP, tar -> files(tar, "app", number, 80))
                  .layer(TarBuilder.Compression.PLAIN, tar -> tar.whiteout("base/file-7"))
                  .build()));
    }

    List<String> first = publishAll(folder.resolve("one"));
    List<String> second = publishAll(folder.resolve("two"));

    assertThat(first).hasSizeGreaterThan(700).isEqualTo(second);
  }

  /** Every entry of the repository, with the names of its objects. */
  private List<String> publishAll(Path data) {
    try (EmbeddedLamina lamina = EmbeddedLamina.start(data, 0, FIXED, new Random(1));
        GatewayClient gateway = new GatewayClient(lamina.address(), Optional.empty())) {
      ObjectMapper json = new ObjectMapper();
      gateway.post(
          "/api/v1/repositories",
          json.createObjectNode().put("name", REPOSITORY.value()),
          Map.of());
      for (int i = 0; i < 3; i++) {
        ObjectNode body = json.createObjectNode();
        body.put("image", "oci:" + folder.resolve("image" + i))
            .put("repository", REPOSITORY.value());
        JsonNode accepted = gateway.post("/api/v1/conversions", body, Map.of());
        JsonNode end =
            new RequestFollower(gateway)
                .follow(accepted.path("links").path("self").asText(), request -> {});
        assertThat(end.path("state").asText()).as(end.toString()).isEqualTo("done");
      }
      return entries(lamina);
    }
  }

  private static List<String> entries(EmbeddedLamina lamina) {
    List<String> entries = new ArrayList<>();
    ReaderSettings settings =
        ReaderSettings.of(REPOSITORY, MasterKeys.load(lamina.publicKey(REPOSITORY)), FIXED);
    try (RepositoryFiles files = new LocalRepositoryFiles(lamina.repositoryFolder(REPOSITORY));
        RepositoryReader reader = RepositoryReader.open(files, settings)) {
      reader.walk(
          RepositoryPath.ROOT,
          stat -> {
            CatalogEntry entry = stat.entry();
            entries.add(
                "%s %o %d:%d %d %d %s %s %s"
                    .formatted(
                        stat.path(),
                        entry.mode(),
                        entry.uid(),
                        entry.gid(),
                        entry.sizeBytes(),
                        entry.mtimeSeconds(),
                        entry.hash(),
                        entry.chunks(),
                        new String(entry.symlinkTarget(), StandardCharsets.UTF_8)));
          });
    }
    return entries;
  }

  private static void files(TarBuilder tar, String directory, long seed, int count) {
    Random random = new Random(seed);
    tar.directory(directory, 0755);
    for (int i = 0; i < count; i++) {
      byte[] content = new byte[random.nextInt(20_000)];
      random.nextBytes(content);
      tar.file(directory + "/file-" + i, 0644, content);
    }
  }
}
