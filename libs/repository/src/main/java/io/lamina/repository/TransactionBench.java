package io.lamina.repository;

import io.lamina.cvmfs.ContentHash;
import io.lamina.cvmfs.HashAlgorithm;
import io.lamina.cvmfs.RepositoryName;
import io.lamina.cvmfs.catalog.CatalogChange;
import io.lamina.cvmfs.catalog.CatalogEntry;
import io.lamina.cvmfs.catalog.Counters;
import io.lamina.cvmfs.catalog.Graft;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.security.SecureRandom;
import java.time.Clock;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.function.Consumer;
import java.util.function.ToLongFunction;
import org.apache.commons.io.file.PathUtils;

/**
 * Measures what one transaction costs that grafts layers into a repository which holds few or many.
 * The layers are names only: a graft never opens what it hangs in.
 */
public final class TransactionBench {
  private static final RepositoryName NAME = new RepositoryName("bench.lamina.example");
  private static final long TIME = 1_767_225_600;
  private static final int LAYERS_PER_BULK = 2_500;

  /**
   * What to measure.
   *
   * @param sizes of the repository, in layers, rising
   * @param graftsPerTransaction layers that share a transaction
   * @param transactions measured at each size
   * @param warmUp transactions before the first measurement, in a repository of their own, so that
   *     the first size is measured with code as well compiled as the last
   */
  public record Plan(List<Integer> sizes, int graftsPerTransaction, int transactions, int warmUp) {
    public static final Plan STANDARD = new Plan(List.of(100, 1_000, 10_000, 100_000), 10, 40, 400);

    public Plan {
      sizes = List.copyOf(sizes);
    }

    /** The same at other sizes, rising. */
    public Plan withSizes(List<Integer> others) {
      return new Plan(others, graftsPerTransaction, transactions, warmUp);
    }

    /** The same with so many transactions at each size, and ten times as many to warm up. */
    public Plan withTransactions(int count) {
      return new Plan(sizes, graftsPerTransaction, count, 10 * count);
    }
  }

  /**
   * Medians of the transactions at one size, in microseconds; {@code slowestMicros} is the 95th of
   * a hundred, {@code cpuMicros} what one took on average of all cores: the figure to look at on a
   * machine that others use.
   */
  public record Row(
      int layers,
      long totalMicros,
      long slowestMicros,
      long cpuMicros,
      long loadMicros,
      long applyMicros,
      long storeMicros,
      long flushMicros,
      long swapMicros) {}

  private int next;

  /** Measures in a new folder below {@code folder}, which is removed at the end. */
  public List<Row> run(Path folder, Plan plan, Consumer<Row> progress) throws IOException {
    Path data = Files.createTempDirectory(folder, "transaction-bench-");
    List<Row> rows = new ArrayList<>();
    try {
      in(
          data.resolve("warm-up"),
          writer -> {
            for (int i = 0; i < plan.warmUp(); i++) {
              commit(writer, plan.graftsPerTransaction());
            }
          });
      PathUtils.delete(data.resolve("warm-up"));
      next = 0;
      in(
          data.resolve("measured"),
          writer -> {
            for (int size : plan.sizes()) {
              while (next < size) {
                commit(writer, Math.min(LAYERS_PER_BULK, size - next));
              }
              Row row = measure(writer, plan, size);
              rows.add(row);
              progress.accept(row);
            }
          });
    } finally {
      PathUtils.delete(data);
    }
    return rows;
  }

  /** Works in a new repository. */
  private static void in(Path data, Consumer<RepositoryWriter> work) {
    Clock clock = Clock.systemUTC();
    Repositories repositories =
        new Repositories(data, StoreOpeners.forPublishers(clock, new SecureRandom()));
    try (Repository repository =
            repositories.create(
                RepositoryDefinition.inDataFolder(
                    NAME, RepositoryDefinition.Settings.DEFAULT, Instant.ofEpochSecond(TIME)),
                new SecureRandom(),
                clock);
        RepositoryWriter writer = repository.writer()) {
      work.accept(writer);
    }
  }

  private Row measure(RepositoryWriter writer, Plan plan, int size) {
    List<Committed.Timings> timings = new ArrayList<>();
    commit(writer, plan.graftsPerTransaction()); // the catalogs of the bulk are written back
    long cpu = cpuNanos();
    for (int i = 0; i < plan.transactions(); i++) {
      timings.add(commit(writer, plan.graftsPerTransaction()).timings());
    }
    long cpuMicros = (cpuNanos() - cpu) / plan.transactions() / 1_000;
    return new Row(
        size,
        quantile(timings, Committed.Timings::total, 0.5),
        quantile(timings, Committed.Timings::total, 0.95),
        cpuMicros,
        quantile(timings, Committed.Timings::load, 0.5),
        quantile(timings, Committed.Timings::apply, 0.5),
        quantile(timings, Committed.Timings::store, 0.5),
        quantile(timings, Committed.Timings::flush, 0.5),
        quantile(timings, Committed.Timings::swap, 0.5));
  }

  private Committed commit(RepositoryWriter writer, int layers) {
    List<CatalogChange> changes = new ArrayList<>();
    for (int i = 0; i < layers; i++) {
      String hex = hex(next++);
      changes.add(new CatalogChange.Attach(graft(hex)));
      changes.add(new CatalogChange.PutSymlink(RepositoryLayout.layerDiffId(hex), "sha256:" + hex));
    }
    return writer.commit(changes, TIME + next, about -> new byte[2_000 * layers]);
  }

  private static Graft graft(String hex) {
    byte[] digest = HexFormat.of().parseHex(hex);
    return new Graft(
        RepositoryLayout.layer(hex),
        ContentHash.of(HashAlgorithm.SHA1, digest),
        500_000,
        CatalogEntry.directory(0755, 0, 0, TIME).withLinks(0, 20),
        new Counters(2_000, 200, 0, 300, 0, 0, 0, 80_000_000, 0, 0, 0, 0));
  }

  private static String hex(int number) {
    try {
      return HexFormat.of()
          .formatHex(
              MessageDigest.getInstance("SHA-256")
                  .digest(Integer.toString(number).getBytes(StandardCharsets.US_ASCII)));
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every JVM has SHA-256", e);
    }
  }

  private static long quantile(
      List<Committed.Timings> timings, ToLongFunction<Committed.Timings> lap, double at) {
    long[] sorted = timings.stream().mapToLong(lap).sorted().toArray();
    return sorted[(int) Math.min(sorted.length - 1L, Math.round(at * sorted.length))] / 1_000;
  }

  private static long cpuNanos() {
    return ManagementFactory.getOperatingSystemMXBean()
            instanceof com.sun.management.OperatingSystemMXBean system
        ? system.getProcessCpuTime()
        : 0;
  }
}
