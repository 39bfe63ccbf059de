package io.lamina.standalone.command;

import io.lamina.standalone.bench.BenchJson;
import io.lamina.standalone.bench.MountBench;
import io.lamina.standalone.bench.MountPlan;
import io.lamina.standalone.bench.MountReading;
import io.lamina.standalone.bench.MountReport;
import io.lamina.standalone.bench.MountState;
import io.lamina.standalone.bench.WorkFolder;
import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Measures reading from a mounted repository. Source: docs/benchmarks.md, "Mounts". */
@Command(
    name = "mount",
    description = {
      "Compares reading a tree of a repository from a local folder, from the embedded client's mount and,",
      "where it is installed, from the original client's. Copies the tree first. Needs root."
    },
    mixinStandardHelpOptions = true)
final class MountBenchCommand implements Callable<Integer> {
  private static final int MAX_ROUNDS = 100;
  private static final String ORIGINAL = "cvmfs2";

  @Mixin RepositorySource source = new RepositorySource();

  @Option(
      names = "--path",
      paramLabel = "PATH",
      defaultValue = "",
      description = "The directory of the repository that is read (default: all of it).")
  String path = "";

  @Option(
      names = "--rounds",
      paramLabel = "N",
      defaultValue = "3",
      description = {
        "How often everything is measured (default: ${DEFAULT-VALUE}). The first round shows a JVM that",
        "has just started; the table has the median of the others."
      })
  int rounds = 3;

  @Option(
      names = "--original",
      paramLabel = "PROGRAM",
      description = "The original client (default: cvmfs2, if it is found in PATH).")
  @Nullable Path original;

  @Mixin BenchFolder work = new BenchFolder();
  @Mixin Output output = new Output();

  @Override
  public Integer call() throws IOException, InterruptedException {
    if (rounds < 1 || rounds > MAX_ROUNDS) {
      throw new CommandException(
          ExitCode.USAGE, "--rounds is from 1 to " + MAX_ROUNDS + ", not " + rounds);
    }
    MountPlan plan =
        new MountPlan(
            source.server(),
            source.repository(),
            source.keyFile().toAbsolutePath(),
            RepositorySource.path(path).toString().substring(1),
            rounds,
            program());
    try (WorkFolder folder = work.open()) {
      for (MountState state : MountState.values()) {
        output.line("%-10s  %s".formatted(state.label(), state.description()));
      }
      for (MountReading reading : MountReading.values()) {
        output.line("%-10s  %s".formatted(reading.label(), reading.description()));
      }
      output.line(
          "original    "
              + plan.original().map(Path::toString).orElse("not found; nothing to compare with"));
      MountReport report =
          new MountBench(folder.path(), plan)
              .run(sofar -> output.note("round " + BenchTable.rounds(sofar) + " of " + rounds));
      BenchTable.mounts(report).forEach(output::line);
      output.value(BenchJson.of(report));
    }
    return ExitCode.OK.number();
  }

  private Optional<Path> program() {
    if (original != null) {
      if (!Files.isExecutable(original)) {
        throw new CommandException(ExitCode.USAGE, "--original: no program " + original);
      }
      return Optional.of(original.toAbsolutePath());
    }
    String path = System.getenv("PATH");
    return Stream.of(path == null ? new String[0] : path.split(File.pathSeparator, -1))
        .filter(folder -> !folder.isEmpty())
        .map(folder -> Path.of(folder, ORIGINAL))
        .filter(Files::isExecutable)
        .findFirst();
  }
}
