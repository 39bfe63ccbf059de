package io.lamina.standalone.command;

import io.lamina.converter.bench.SyntheticLayer;
import io.lamina.cvmfs.CvmfsException;
import io.lamina.cvmfs.compression.Compression;
import io.lamina.image.ImageReference;
import io.lamina.image.Platform;
import io.lamina.journal.replay.ReplayBench;
import io.lamina.repository.CatalogCompression;
import io.lamina.repository.TransactionBench;
import io.lamina.standalone.ImageAccess;
import io.lamina.standalone.bench.BenchInput;
import io.lamina.standalone.bench.BenchJson;
import io.lamina.standalone.bench.BenchReport;
import io.lamina.standalone.bench.Benchmark;
import io.lamina.standalone.bench.Environment;
import io.lamina.standalone.bench.Stage;
import io.lamina.standalone.bench.WorkFolder;
import io.lamina.standalone.demo.DemoImage;
import java.io.IOException;
import java.nio.file.Path;
import java.util.EnumSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Measures conversion and publication on this machine. Source: docs/benchmarks.md. */
@Command(
    name = "bench",
    subcommands = MountBenchCommand.class,
    description = {
      "Measures conversion and publication, stage by stage, against what the JDK alone takes for the same",
      "layers in the same run. Without an image, with the demo's, made of this machine's files."
    },
    mixinStandardHelpOptions = true)
final class BenchCommand implements Callable<Integer> {
  private static final long MIN_SYNTHETIC_BYTES = 1_000_000;
  private static final long MAX_SYNTHETIC_BYTES = 150_000_000_000L;
  private static final long SYNTHETIC_SEED = 42;
  private static final int MAX_ROUNDS = 100;
  private static final int MAX_LAYERS = 10_000_000;
  private static final int MAX_COUNT = 10_000;
  private static final int MAX_REPLAYED = 10_000_000;

  @Parameters(
      arity = "0..*",
      paramLabel = "IMAGE",
      description = {
        "As for 'lamina convert'. Images that are not in a folder in OCI layout are copied first;",
        "the copying is not measured."
      })
  List<String> images = List.of();

  @Option(
      names = "--synthetic",
      paramLabel = "SIZE",
      converter = ByteSize.class,
      description =
          "Measure with one generated layer of this unpacked size, such as 10g; it takes no disk.")
  @Nullable Long synthetic;

  @Option(
      names = "--stage",
      paramLabel = "STAGE",
      split = ",",
      description =
          "Only these: plain, per-file, verify, compress, convert, publish (default: all).")
  List<String> stages = List.of();

  @Option(
      names = "--platform",
      paramLabel = "OS/ARCH[/VARIANT]",
      description = "Of the images (default: this machine's).")
  @Nullable String platform;

  @Option(
      names = "--compression",
      paramLabel = "ENGINE[-LEVEL]",
      defaultValue = "fastest",
      description = "Of objects: isal-1..2, libdeflate-1..12, jdk-1..9 or fastest (default).")
  String compression = "fastest";

  @Option(
      names = "--rounds",
      paramLabel = "N",
      defaultValue = "1",
      description = {
        "Run each stage so often and report the last time (default: 1). With 3, what is measured is a",
        "process that has been at work for a while. Takes as many times the disk."
      })
  int rounds = 1;

  @Option(
      names = "--transactions",
      description =
          "Measure the time inside transactions in repositories of different sizes instead.")
  boolean transactions;

  @Option(
      names = "--layers",
      paramLabel = "N",
      split = ",",
      description =
          "With --transactions: layers in the repository, rising (default: 100,1000,10000,100000).")
  List<Integer> layers = List.of();

  @Option(
      names = "--count",
      paramLabel = "N",
      description =
          "With --transactions: how many at each size, after ten times as many to warm up"
              + " (default: 40).")
  @Nullable Integer count;

  @Option(
      names = "--replay",
      paramLabel = "N",
      description =
          "Publish so many small images in as many transactions, and measure the replay of their"
              + " journal instead.")
  @Nullable Integer replay;

  @Mixin BenchFolder work = new BenchFolder();
  @Mixin Output output = new Output();

  @Override
  public Integer call() throws IOException, InterruptedException {
    requireSense();
    try (WorkFolder folder = work.open()) {
      if (replay != null) {
        measureReplay(folder.path(), replay);
      } else if (transactions) {
        measureTransactions(folder.path());
      } else {
        measureStages(folder.path());
      }
    }
    return ExitCode.OK.number();
  }

  private void requireSense() {
    if (replay != null
        && (transactions || !images.isEmpty() || synthetic != null || !stages.isEmpty())) {
      throw usage("--replay goes without images, --synthetic, --stage and --transactions");
    }
    if (replay != null && (replay < 1 || replay > MAX_REPLAYED)) {
      throw usage("--replay is from 1 to " + MAX_REPLAYED + ", not " + replay);
    }
    if (transactions && (!images.isEmpty() || synthetic != null || !stages.isEmpty())) {
      throw usage("--transactions goes with --layers, not with images, --synthetic or --stage");
    }
    if (!transactions && !layers.isEmpty()) {
      throw usage("--layers goes with --transactions");
    }
    if (count != null && (!transactions || count < 1 || count > MAX_COUNT)) {
      throw usage("--count goes with --transactions and is 1 to " + MAX_COUNT + ", not " + count);
    }
    if (synthetic != null && !images.isEmpty()) {
      throw usage("give images or --synthetic, not both");
    }
    if (synthetic != null && (synthetic < MIN_SYNTHETIC_BYTES || synthetic > MAX_SYNTHETIC_BYTES)) {
      throw usage("--synthetic is from 1m to 150g, not " + synthetic + " bytes");
    }
    if (rounds < 1 || rounds > MAX_ROUNDS) {
      throw usage("--rounds is from 1 to " + MAX_ROUNDS + ", not " + rounds);
    }
    for (int i = 0; i < layers.size(); i++) {
      if (layers.get(i) < 1
          || layers.get(i) > MAX_LAYERS
          || (i > 0 && layers.get(i) <= layers.get(i - 1))) {
        throw usage("--layers are rising numbers from 1 to " + MAX_LAYERS + ", not " + layers);
      }
    }
  }

  private static CommandException usage(String message) {
    return new CommandException(ExitCode.USAGE, message);
  }

  // ---- stages -------------------------------------------------------------------------------

  private void measureStages(Path folder) throws IOException, InterruptedException {
    Set<Stage> wanted = wantedStages();
    Compression chosen = chosenCompression();
    BenchTable.environment(Environment.here(folder, chosen)).forEach(output::line);
    BenchInput input = input(folder);
    output.line("");
    for (Stage stage : wanted) {
      output.line("%-10s  %s".formatted(stage.label(), stage.description()));
    }
    output.line("");
    BenchTable.stagesHead().forEach(output::line);
    BenchReport report =
        new Benchmark(folder, chosen, input, rounds)
            .run(wanted, latest -> output.line(BenchTable.row(latest, latest.stages().getLast())));
    output.line("");
    BenchTable.summary(report).forEach(output::line);
    output.value(BenchJson.of(report));
  }

  private Compression chosenCompression() {
    try {
      Compression chosen = Compression.parse(compression);
      chosen.newCompressor().close();
      return chosen;
    } catch (CvmfsException.Rejected e) {
      throw usage("--compression: " + e.getMessage());
    }
  }

  private Set<Stage> wantedStages() {
    Set<Stage> wanted = EnumSet.noneOf(Stage.class);
    for (String label : stages) {
      wanted.add(
          Stage.of(label)
              .orElseThrow(
                  () ->
                      usage(
                          "no stage is called '"
                              + label
                              + "'; there are "
                              + Stream.of(Stage.values())
                                  .map(Stage::label)
                                  .collect(Collectors.joining(", ")))));
    }
    return wanted.isEmpty() ? EnumSet.allOf(Stage.class) : wanted;
  }

  private BenchInput input(Path folder) throws IOException {
    BenchInput input = new BenchInput(folder.resolve("images"), wantedPlatform());
    if (synthetic != null) {
      output.line("input       a generated layer; its digests are computed first");
      input.add(new SyntheticLayer(SYNTHETIC_SEED, synthetic));
    } else {
      try (ImageAccess access = ImageAccess.asThisUser(System.getenv())) {
        for (String image : images) {
          ImageReference reference = ImageReference.parse(image);
          output.line("input       " + reference.canonical());
          input.add(reference.canonical(), reference, access);
        }
        if (images.isEmpty()) {
          output.line("input       the demo's image, made now");
          input.add("demo", demo(folder), access);
        }
      }
    }
    output.line(
        "            %d layers, %s packed"
            .formatted(input.layerCount(), ProgressBar.bytes(input.packedBytes())));
    return input;
  }

  private static ImageReference demo(Path folder) throws IOException {
    Path layout = folder.resolve("demo");
    DemoImage.write(layout, Path.of(System.getProperty("java.home")));
    return new ImageReference.OciLayout(layout, Optional.of("latest"));
  }

  private Platform wantedPlatform() {
    return platform == null
        ? new Platform("linux", DemoImage.architecture(), Optional.empty())
        : Platform.parse(platform);
  }

  // ---- transactions -------------------------------------------------------------------------

  private void measureTransactions(Path folder) throws IOException {
    TransactionBench.Plan plan =
        layers.isEmpty()
            ? TransactionBench.Plan.STANDARD
            : TransactionBench.Plan.STANDARD.withSizes(layers);
    if (count != null) {
      plan = plan.withTransactions(count);
    }
    Environment environment = Environment.here(folder, CatalogCompression.FOR_PUBLISHERS);
    BenchTable.environment(environment).forEach(output::line);
    output.line("");
    BenchTable.transactionsHead(plan).forEach(output::line);
    List<TransactionBench.Row> rows =
        new TransactionBench().run(folder, plan, row -> output.line(BenchTable.row(row)));
    output.line("");
    output.line(BenchTable.growth(rows));
    output.value(BenchJson.of(environment, plan, rows));
  }

  // ---- replay -------------------------------------------------------------------------------

  private void measureReplay(Path folder, int count) throws IOException {
    Environment environment = Environment.here(folder, CatalogCompression.FOR_PUBLISHERS);
    BenchTable.environment(environment).forEach(output::line);
    output.line("");
    BenchTable.replayHead().forEach(output::line);
    List<ReplayBench.Row> rows =
        new ReplayBench().run(folder, count, row -> output.line(BenchTable.row(row)));
    output.value(BenchJson.of(environment, rows));
  }
}
