package io.lamina.standalone.command;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.lamina.image.testing.ImageBuilder;
import io.lamina.image.testing.ImageFiles;
import io.lamina.image.testing.TarBuilder;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.StreamSupport;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class BenchCommandIT {
  private static final List<String> ENVIRONMENT =
      List.of(
          "cores",
          "system",
          "jdk",
          "heapLimitBytes",
          "collectors",
          "libdeflate",
          "isal",
          "compression",
          "fileSystem",
          "loadAverage");

  @TempDir Path folder;

  @Test
  void measuresEveryStageOfTheSameImagesAndCleansUp() throws JsonProcessingException {
    // Both have the first layer; the second one lies in an archive and is copied.
    ImageBuilder first = image(1);
    ImageBuilder second = image(2);
    Path layout = folder.resolve("image");
    Path archive = folder.resolve("archive.tar");
    ImageFiles.writeOciLayout(layout, Map.of("latest", first.build()));
    ImageFiles.writeOciArchive(archive, Map.of("latest", second.build()));
    Path data = folder.resolve("data");

    CommandRun run =
        CommandRun.of(
            "bench",
            "oci:" + layout,
            "oci-archive:" + archive,
            "--platform=linux/amd64",
            "--compression=jdk-1",
            "--data=" + data,
            "--json");

    assertThat(run.exitCode()).as(run.err()).isZero();
    assertThat(data).isEmptyDirectory();
    JsonNode report = new ObjectMapper().readTree(run.out());
    assertThat(names(report)).containsExactly("environment", "input", "stages");
    assertThat(names(report.path("environment"))).containsExactlyElementsOf(ENVIRONMENT);
    assertThat(report.path("environment").path("compression").asText()).startsWith("jdk-1-");
    assertThat(names(report.path("input")))
        .containsExactly("images", "layers", "packedBytes", "unpackedBytes");
    assertThat(report.path("input").path("layers").asInt()).isEqualTo(3);
    assertThat(report.path("stages").findValuesAsText("stage"))
        .containsExactly("plain", "per-file", "verify", "compress", "convert", "publish");
    for (JsonNode stage : report.path("stages")) {
      requireFigures(report, stage);
    }
    requireWork(report.path("stages"));
  }

  private static void requireFigures(JsonNode report, JsonNode stage) {
    assertThat(names(stage))
        .containsExactly(
            "stage",
            "seconds",
            "megabytesPerSecond",
            "cpuSecondsPerGigabyte",
            "coresBusy",
            "speedAgainstPlain",
            "speedAgainstPerFile",
            "cpuAgainstPlain",
            "cpuAgainstPerFile",
            "peakHeapBytes",
            "liveHeapBytes",
            "peakResidentBytes",
            "objects",
            "transactions");
    JsonNode plain = report.path("stages").path(0);
    JsonNode perFile = report.path("stages").path(1);
    double unpacked = report.path("input").path("unpackedBytes").asDouble();
    assertThat(stage.path("megabytesPerSecond").asDouble())
        .isCloseTo(unpacked / 1e6 / stage.path("seconds").asDouble(), within(1e-6));
    requireRatio(stage, "speedAgainstPlain", "megabytesPerSecond", plain);
    requireRatio(stage, "speedAgainstPerFile", "megabytesPerSecond", perFile);
    requireRatio(stage, "cpuAgainstPlain", "cpuSecondsPerGigabyte", plain);
    requireRatio(stage, "cpuAgainstPerFile", "cpuSecondsPerGigabyte", perFile);
    assertThat(stage.path("peakHeapBytes").asLong()).isPositive();
    assertThat(stage.path("liveHeapBytes").asLong()).isPositive();
  }

  private static void requireRatio(JsonNode stage, String ratio, String figure, JsonNode baseline) {
    assertThat(stage.path(ratio).asDouble())
        .isCloseTo(stage.path(figure).asDouble() / baseline.path(figure).asDouble(), within(1e-6));
  }

  private static void requireWork(JsonNode stages) {
    JsonNode compress = stages.path(3).path("objects");
    assertThat(compress.path("asked").asLong()).isGreaterThan(30);
    assertThat(compress.get("stored").isNull()).isTrue();
    JsonNode convert = stages.path(4).path("objects");
    assertThat(convert.path("asked").asLong()).isEqualTo(compress.path("asked").asLong());
    assertThat(convert.path("stored").asLong())
        .isPositive()
        .isLessThan(convert.path("asked").asLong());
    JsonNode publish = stages.path(5);
    assertThat(publish.path("objects").path("asked").asLong())
        .isGreaterThan(compress.path("asked").asLong());
    assertThat(publish.path("objects").path("storedBytes").asLong()).isPositive();
    JsonNode transactions = publish.path("transactions");
    assertThat(names(transactions))
        .containsExactly("published", "unchanged", "changes", "insideMillis", "flushMillis");
    assertThat(transactions.path("published").asLong()).isPositive();
    assertThat(transactions.path("changes").asLong()).isGreaterThan(5);
    assertThat(transactions.path("insideMillis").asDouble())
        .isGreaterThan(transactions.path("flushMillis").asDouble());
  }

  @Test
  void showsTheChosenStagesOfAGeneratedLayerAsATable() {
    CommandRun run =
        CommandRun.of("bench", "--synthetic=3m", "--stage=verify,plain", "--data=" + folder);

    assertThat(run.exitCode()).as(run.err()).isZero();
    assertThat(run.out().lines().filter(line -> line.startsWith("| ")).toList())
        .hasSize(4)
        .satisfies(
            lines -> {
              assertThat(lines.get(2)).startsWith("| plain | ").contains("| 1.00 | – |");
              assertThat(lines.get(3)).startsWith("| verify | ");
            });
    assertThat(folder).isEmptyDirectory();
  }

  @Test
  void measuresTransactionsAtEachSize() throws JsonProcessingException {
    CommandRun run =
        CommandRun.of(
            "bench",
            "--transactions",
            "--layers=70,600",
            "--count=3",
            "--data=" + folder,
            "--json");

    assertThat(run.exitCode()).as(run.err()).isZero();
    JsonNode report = new ObjectMapper().readTree(run.out());
    assertThat(names(report))
        .containsExactly(
            "environment",
            "graftsPerTransaction",
            "transactionsPerSize",
            "sizes",
            "growth",
            "cpuGrowth");
    assertThat(report.path("transactionsPerSize").asInt()).isEqualTo(3);
    assertThat(report.path("sizes").findValuesAsText("layers")).containsExactly("70", "600");
    JsonNode first = report.path("sizes").path(0);
    JsonNode last = report.path("sizes").path(1);
    assertThat(report.path("growth").asDouble())
        .isCloseTo(
            last.path("insideMillis").asDouble() / first.path("insideMillis").asDouble(),
            within(1e-6));
    assertThat(folder).isEmptyDirectory();
  }

  @Test
  void measuresTheReplayOfAJournal() throws Exception {
    CommandRun run = CommandRun.of("bench", "--replay=12", "--data=" + folder, "--json");

    assertThat(run.exitCode()).as(run.err()).isZero();
    JsonNode report = new ObjectMapper().readTree(run.out());
    assertThat(names(report)).containsExactly("environment", "replay");
    assertThat(report.path("replay").findValuesAsText("name"))
        .containsExactly("publish", "verify", "replay", "from-snapshot");
    assertThat(report.path("replay").findValuesAsText("transactions"))
        .containsExactly("12", "12", "12", "12");
    JsonNode replayed = report.path("replay").path(2);
    assertThat(replayed.path("objects").asInt())
        .as("two trees, their file, and two files of metadata")
        .isEqualTo(12 * 5);
    assertThat(folder).isEmptyDirectory();
  }

  private static ImageBuilder image(int number) {
    return ImageBuilder.oci()
        .layer(TarBuilder.Compression.GZIP, tar -> files(tar, "base", 5, 20))
        .layer(TarBuilder.Compression.ZSTD, tar -> files(tar, "app", number, 12));
  }

  private static void files(TarBuilder tar, String directory, long seed, int count) {
    Random random = new Random(seed);
    tar.directory(directory, 0755);
    for (int i = 0; i < count; i++) {
      byte[] content = new byte[1 + random.nextInt(40_000)];
      random.nextBytes(content);
      tar.file(directory + "/file-" + i, 0644, content);
      tar.file(directory + "/copy-" + i, 0644, content);
    }
  }

  private static List<String> names(JsonNode node) {
    Iterable<String> names = node::fieldNames;
    return StreamSupport.stream(names.spliterator(), false).toList();
  }
}
