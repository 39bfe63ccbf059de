package io.lamina.standalone.command;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.lamina.client.TestRepository;
import io.lamina.cvmfs.RepositoryPath;
import io.lamina.cvmfs.catalog.CatalogEntry;
import io.lamina.cvmfs.tree.FileTree;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The benchmark as it is run by people, on a repository that is read in no time. */
class MountBenchCommandIT {
  private static final int LARGE_BYTES = 300_000;
  private static final int SMALL_FILES = 300;
  private static final List<String> READINGS = List.of("find", "small", "large", "parallel");

  private final TestRepository repository = new TestRepository("bench.lamina.test");

  @TempDir Path folder = Path.of(".");

  @Test
  void measuresEveryReadingInEveryStateAndLeavesNothing() throws IOException {
    assumeTrue(Files.exists(Path.of("/dev/fuse")), "this machine has no /dev/fuse");
    assumeTrue("root".equals(System.getProperty("user.name")), "mounting needs root");
    FileTree tree = TestRepository.tree();
    long smallBytes = 0;
    for (int i = 0; i < SMALL_FILES; i++) {
      String content = "file " + i + "\n";
      tree.put(RepositoryPath.of("/files/d" + i % 7 + "/f " + i), repository.file(content));
      smallBytes += content.length();
    }
    tree.put(RepositoryPath.of("/files/large"), repository.file(new byte[LARGE_BYTES], 0644));
    Path source = repository.with("tree", tree).publish().writeBelow(folder);
    Path data = Files.createDirectory(folder.resolve("data"));

    CommandRun run = bench(source, "--path=/tree/files", "--rounds=2", "--data=" + data, "--json");

    assertThat(run.exitCode()).as(run.err()).isZero();
    assertThat(data).isEmptyDirectory();
    JsonNode report = new ObjectMapper().readTree(run.out());
    JsonNode found = report.path("tree");
    assertThat(found.path("entries").asInt()).isEqualTo(1 + 7 + SMALL_FILES + 1);
    assertThat(found.path("smallFiles").asInt()).isEqualTo(SMALL_FILES);
    assertThat(found.path("smallBytes").asLong()).isEqualTo(smallBytes);
    assertThat(found.path("largestBytes").asInt()).isEqualTo(LARGE_BYTES);
    for (int round = 1; round <= 2; round++) {
      assertThat(readings(report, round, "local", "hot")).isEqualTo(READINGS);
      for (String state : List.of("cold", "warm", "hot")) {
        assertThat(readings(report, round, "lamina", state)).isEqualTo(READINGS);
      }
    }
  }

  /** What was read, each in some time. */
  private static List<String> readings(JsonNode report, int round, String subject, String state) {
    List<String> readings = new ArrayList<>();
    for (JsonNode sample : report.path("samples")) {
      if (sample.path("round").asInt() == round
          && sample.path("subject").asText().equals(subject)
          && sample.path("state").asText().equals(state)) {
        assertThat(sample.path("seconds").asDouble()).isPositive();
        readings.add(sample.path("reading").asText());
      }
    }
    return readings;
  }

  @Test
  void saysWhatIsMissing() throws IOException {
    assumeTrue(Files.exists(Path.of("/dev/fuse")), "this machine has no /dev/fuse");
    assumeTrue("root".equals(System.getProperty("user.name")), "mounting needs root");
    FileTree tree = TestRepository.tree();
    tree.put(RepositoryPath.of("/empty"), CatalogEntry.directory(0755, 0, 0, TestRepository.TIME));
    Path source = repository.with("tree", tree).publish().writeBelow(folder);
    Path data = Files.createDirectory(folder.resolve("data"));

    CommandRun nothing = bench(source, "--path=/tree/empty", "--data=" + data);
    CommandRun absent = bench(source, "--path=/absent", "--data=" + data);
    CommandRun never = bench(source, "--rounds=0", "--data=" + data);

    assertThat(nothing.exitCode()).isEqualTo(ExitCode.REQUEST_FAILED.number());
    assertThat(nothing.err()).contains("there is no file below /tree/empty");
    assertThat(absent.exitCode()).isEqualTo(ExitCode.REQUEST_FAILED.number());
    assertThat(absent.err()).contains("cp in").contains("No such file or directory");
    assertThat(never.exitCode()).isEqualTo(ExitCode.USAGE.number());
    assertThat(data).isEmptyDirectory();
  }

  private CommandRun bench(Path source, String... more) throws IOException {
    List<String> words = new ArrayList<>(List.of("bench", "mount", source.toString()));
    words.add("--key=" + repository.writeKey(folder.resolve("bench.pub")));
    words.addAll(List.of(more));
    return CommandRun.of(words.toArray(String[]::new));
  }
}
