package io.lamina.standalone.bench;

import io.lamina.standalone.bench.MountReport.Sample;
import io.lamina.standalone.bench.MountReport.Subject;
import io.lamina.standalone.bench.MountReport.Tree;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Compares reading a tree from a local folder, from the embedded client's mount and from the
 * original client's: empty caches, full ones, and once more in the same mount. Those who are
 * compared take turns in each round. One thread; needs root.
 *
 * <p>Source: docs/benchmarks.md, "Mounts".
 */
public final class MountBench {
  private static final long SMALL_BYTES = 64 << 10;

  private final Path folder;
  private final MountPlan plan;
  private final Path local;
  private final Path mountPoint;
  private final Path smallFiles;
  private final Map<MountReading, List<String>> commands = new LinkedHashMap<>();

  /**
   * @param folder for what is written; the caller removes it
   */
  public MountBench(Path folder, MountPlan plan) throws IOException {
    this.folder = folder;
    this.plan = plan;
    this.local = folder.resolve("local");
    this.mountPoint = Files.createDirectories(folder.resolve("mnt"));
    this.smallFiles = folder.resolve("small-files");
  }

  /**
   * @param progress gets the report after each round
   * @throws BenchmarkException if a reader failed, or a client could not mount
   */
  public MountReport run(Consumer<MountReport> progress) throws IOException, InterruptedException {
    double load = ManagementFactory.getOperatingSystemMXBean().getSystemLoadAverage();
    try (RepositoryServer server = RepositoryServer.of(plan.source());
        LaminaMountedClient lamina =
            new LaminaMountedClient(
                plan,
                server.address(),
                Files.createDirectories(folder.resolve("lamina")),
                mountPoint)) {
      MountReport report = new MountReport(copyTree(lamina), load, List.of());
      if (plan.original().isEmpty()) {
        return rounds(report, Map.of(Subject.LAMINA, lamina), progress);
      }
      try (OriginalMountedClient original =
          new OriginalMountedClient(
              plan.original().get(),
              plan,
              server.address(),
              Files.createDirectories(folder.resolve("original")),
              mountPoint)) {
        Map<Subject, MountedClient> clients = new LinkedHashMap<>();
        clients.put(Subject.LAMINA, lamina);
        clients.put(Subject.ORIGINAL, original);
        return rounds(report, clients, progress);
      }
    }
  }

  private MountReport rounds(
      MountReport empty, Map<Subject, MountedClient> clients, Consumer<MountReport> progress)
      throws IOException, InterruptedException {
    MountReport report = empty;
    for (int round = 1; round <= plan.rounds(); round++) {
      report = report.with(localRound(round));
      for (Map.Entry<Subject, MountedClient> each : clients.entrySet()) {
        report = report.with(round(round, each.getKey(), each.getValue()));
      }
      progress.accept(report);
    }
    return report;
  }

  /** Makes the local folder from the mount, and learns what there is to read. */
  private Tree copyTree(MountedClient client) throws IOException, InterruptedException {
    client.mount();
    execute(
        folder, List.of("cp", "-a", mountPoint.resolve(plan.path()).toString(), local.toString()));
    client.unmount();
    Contents contents = new Contents();
    Files.walkFileTree(local, contents);
    if (contents.largest == null) {
      throw new BenchmarkException("there is no file below /" + plan.path());
    }
    Files.write(smallFiles, contents.small.toString().getBytes(StandardCharsets.UTF_8));
    commands.put(MountReading.FIND, List.of("find", ".", "-printf", "%s %m %U %T@\\n"));
    commands.put(
        MountReading.SMALL,
        List.of("xargs", "-0", "-n", "200", "-a", smallFiles.toString(), "cat", "--"));
    commands.put(
        MountReading.LARGE, List.of("cat", "--", local.relativize(contents.largest).toString()));
    commands.put(
        MountReading.PARALLEL,
        List.of("xargs", "-0", "-n", "50", "-P", "4", "-a", smallFiles.toString(), "cat", "--"));
    return new Tree(
        contents.entries, contents.smallCount, contents.smallBytes, contents.largestBytes);
  }

  private List<String> command(MountReading reading) {
    return Objects.requireNonNull(commands.get(reading), "no command was made");
  }

  private List<Sample> localRound(int round) throws IOException, InterruptedException {
    List<Sample> samples = new ArrayList<>();
    for (MountReading reading : MountReading.values()) {
      execute(local, command(reading)); // into the kernel's memory
      long nanos = execute(local, command(reading));
      samples.add(new Sample(round, Subject.LOCAL, MountState.HOT, reading, nanos, 0));
    }
    return samples;
  }

  private List<Sample> round(int round, Subject subject, MountedClient client)
      throws IOException, InterruptedException {
    List<Sample> samples = new ArrayList<>();
    for (List<MountReading> together :
        List.of(MountReading.ONE_AFTER_THE_OTHER, List.of(MountReading.PARALLEL))) {
      client.clear();
      client.mount();
      samples.addAll(measure(round, subject, client, MountState.COLD, together));
      client.unmount();
      client.mount();
      samples.addAll(measure(round, subject, client, MountState.WARM, together));
      samples.addAll(measure(round, subject, client, MountState.HOT, together));
      client.unmount();
    }
    return samples;
  }

  private List<Sample> measure(
      int round,
      Subject subject,
      MountedClient client,
      MountState state,
      List<MountReading> readings)
      throws IOException, InterruptedException {
    Path directory = mountPoint.resolve(plan.path());
    List<Sample> samples = new ArrayList<>();
    for (MountReading reading : readings) {
      long before = client.cpuNanos();
      long nanos = execute(directory, command(reading));
      samples.add(new Sample(round, subject, state, reading, nanos, client.cpuNanos() - before));
    }
    return samples;
  }

  private long execute(Path directory, List<String> command)
      throws IOException, InterruptedException {
    Path errors = folder.resolve("errors");
    long start = System.nanoTime();
    int code =
        new ProcessBuilder(command)
            .directory(directory.toFile())
            .redirectOutput(ProcessBuilder.Redirect.DISCARD)
            .redirectError(errors.toFile())
            .start()
            .waitFor();
    long nanos = System.nanoTime() - start;
    if (code != 0) {
      throw new BenchmarkException(
          command.getFirst()
              + " in "
              + directory
              + " failed: "
              + Files.readString(errors, StandardCharsets.ISO_8859_1)
                  .lines()
                  .findFirst()
                  .orElse(""));
    }
    return nanos;
  }

  /** Counts, and collects the names of small files, each with NUL behind it. */
  private final class Contents extends SimpleFileVisitor<Path> {
    private final StringBuilder small = new StringBuilder();
    private long entries;
    private long smallCount;
    private long smallBytes;
    private long largestBytes = -1;
    private @Nullable Path largest;

    @Override
    public FileVisitResult preVisitDirectory(Path directory, BasicFileAttributes attributes) {
      entries++;
      return FileVisitResult.CONTINUE;
    }

    @Override
    public FileVisitResult visitFile(Path file, BasicFileAttributes attributes) {
      entries++;
      if (attributes.isRegularFile()) {
        if (attributes.size() <= SMALL_BYTES) {
          small.append(local.relativize(file)).append('\0');
          smallCount++;
          smallBytes += attributes.size();
        }
        if (attributes.size() > largestBytes) {
          largestBytes = attributes.size();
          largest = file;
        }
      }
      return FileVisitResult.CONTINUE;
    }
  }
}
