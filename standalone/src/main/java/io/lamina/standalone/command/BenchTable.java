package io.lamina.standalone.command;

import io.lamina.journal.replay.ReplayBench;
import io.lamina.repository.TransactionBench;
import io.lamina.standalone.bench.BenchReport;
import io.lamina.standalone.bench.Environment;
import io.lamina.standalone.bench.MountReading;
import io.lamina.standalone.bench.MountReport;
import io.lamina.standalone.bench.MountReport.Subject;
import io.lamina.standalone.bench.MountState;
import io.lamina.standalone.bench.Stage;
import io.lamina.standalone.bench.StageResult;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalLong;

/** Measurements as tables for people, in Markdown, line by line as they come. */
final class BenchTable {
  private static final String NOTHING = "–";

  private BenchTable() {}

  static List<String> environment(Environment environment) {
    return List.of(
        format(
            "machine     %d cores, %s, load %.1f before the start",
            environment.cores(), environment.system(), environment.loadAverage()),
        format(
            "JVM         %s, heap of at most %d MB, %s",
            environment.jdk(),
            environment.heapLimitBytes() >> 20,
            String.join(" and ", environment.collectors())),
        format(
            "libraries   libdeflate %s, ISA-L %s; objects by %s",
            found(environment.hasLibdeflate()),
            found(environment.hasIsal()),
            environment.compression()),
        format("files       on %s", environment.fileSystem()));
  }

  private static String found(boolean isThere) {
    return isThere ? "found" : "not found";
  }

  static List<String> stagesHead() {
    return List.of(
        "| stage | s | MB/s | × plain | × per-file | CPU s/GB | cores | heap MB | live MB | RSS MB"
            + " | objects | stored | stored MB |",
        "| :--- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---:"
            + " | ---: | ---: | ---: |");
  }

  /** A stage's row, and what is to be said below the table. */
  static String row(BenchReport report, StageResult result) {
    Optional<StageResult.Stored> stored = result.objects().flatMap(StageResult.Objects::stored);
    return format(
        "| %s | %.1f | %.0f | %s | %s | %.2f | %.1f | %d | %d | %s | %s | %s | %s |",
        result.stage().label(),
        result.seconds(),
        result.megabytesPerSecond(),
        ratio(report.speedAgainst(Stage.PLAIN, result)),
        ratio(report.speedAgainst(Stage.PER_FILE, result)),
        result.cpuSecondsPerGigabyte(),
        result.coresBusy(),
        result.used().peakHeapBytes() >> 20,
        result.used().liveHeapBytes() >> 20,
        megabytes(result.used().peakResidentBytes()),
        result.objects().map(objects -> Long.toString(objects.asked())).orElse(NOTHING),
        stored.map(some -> Long.toString(some.objects())).orElse(NOTHING),
        stored.map(some -> format("%.0f", some.bytes() / 1e6)).orElse(NOTHING));
  }

  static List<String> summary(BenchReport report) {
    return report
        .result(Stage.PUBLISH)
        .flatMap(StageResult::transactions)
        .map(
            counted ->
                List.of(
                    format(
                        "transactions %d published, %d without a change; %.1f ms inside them,"
                            + " %.1f ms of it for the disk; %d changes",
                        counted.published(),
                        counted.unchanged(),
                        counted.insideNanos() / 1e6,
                        counted.flushNanos() / 1e6,
                        counted.changes())))
        .orElse(List.of());
  }

  static List<String> transactionsHead(TransactionBench.Plan plan) {
    return List.of(
        format(
            "Milliseconds inside one transaction of %d new layers, median of %d.",
            plan.graftsPerTransaction(), plan.transactions()),
        "",
        "| layers there | inside | 95 % | CPU | load | apply | store | flush | swap |",
        "| ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |");
  }

  static String row(TransactionBench.Row row) {
    return format(
        "| %d | %.1f | %.1f | %.1f | %.1f | %.1f | %.1f | %.1f | %.1f |",
        row.layers(),
        row.totalMicros() / 1e3,
        row.slowestMicros() / 1e3,
        row.cpuMicros() / 1e3,
        row.loadMicros() / 1e3,
        row.applyMicros() / 1e3,
        row.storeMicros() / 1e3,
        row.flushMicros() / 1e3,
        row.swapMicros() / 1e3);
  }

  static List<String> replayHead() {
    return List.of(
        "| | transactions | s | a second | CPU ms each | objects |",
        "| :--- | ---: | ---: | ---: | ---: | ---: |");
  }

  static String row(ReplayBench.Row row) {
    return format(
        "| %s | %d | %.1f | %.0f | %.2f | %d |",
        row.name(),
        row.transactions(),
        row.seconds(),
        row.transactions() / row.seconds(),
        1e3 * row.cpuSeconds() / row.transactions(),
        row.objects());
  }

  static String growth(List<TransactionBench.Row> rows) {
    TransactionBench.Row first = rows.getFirst();
    TransactionBench.Row last = rows.getLast();
    return format(
        "From %d to %d layers the time inside grows by %.2f, its CPU time by %.2f.",
        first.layers(),
        last.layers(),
        (double) last.totalMicros() / first.totalMicros(),
        (double) last.cpuMicros() / first.cpuMicros());
  }

  /** How many rounds are in a report. */
  static int rounds(MountReport report) {
    return report.samples().stream().mapToInt(MountReport.Sample::round).max().orElse(0);
  }

  static List<String> mounts(MountReport report) {
    List<String> lines = new ArrayList<>();
    MountReport.Tree tree = report.tree();
    lines.add(
        format(
            "%d entries, %d files up to 64 kB with %.0f MB, the largest of %.0f MB; load %.1f before the start",
            tree.entries(),
            tree.smallFiles(),
            tree.smallBytes() / 1e6,
            tree.largestBytes() / 1e6,
            report.loadAverage()));
    lines.add("");
    lines.add(
        "| reading | state | local s | lamina s | original s | × local | × original | fresh s"
            + " | CPU s | original CPU s |");
    lines.add("| :--- | :--- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |");
    for (MountReading reading : MountReading.values()) {
      for (MountState state : MountState.values()) {
        lines.add(mountRow(report, reading, state));
      }
    }
    return lines;
  }

  private static String mountRow(MountReport report, MountReading reading, MountState state) {
    return format(
        "| %s | %s | %s | %s | %s | %s | %s | %s | %s | %s |",
        reading.label(),
        state.label(),
        state == MountState.HOT ? seconds(report.seconds(Subject.LOCAL, state, reading)) : NOTHING,
        seconds(report.seconds(Subject.LAMINA, state, reading)),
        seconds(report.seconds(Subject.ORIGINAL, state, reading)),
        ratio(report.againstLocal(state, reading)),
        ratio(report.againstOriginal(state, reading)),
        seconds(report.freshSeconds(Subject.LAMINA, state, reading)),
        seconds(report.cpuSeconds(Subject.LAMINA, state, reading)),
        seconds(report.cpuSeconds(Subject.ORIGINAL, state, reading)));
  }

  private static String seconds(OptionalDouble value) {
    return value.isPresent() ? format("%.3f", value.getAsDouble()) : NOTHING;
  }

  private static String ratio(OptionalDouble value) {
    return value.isPresent() ? format("%.2f", value.getAsDouble()) : NOTHING;
  }

  private static String megabytes(OptionalLong bytes) {
    return bytes.isPresent() ? Long.toString(bytes.getAsLong() >> 20) : NOTHING;
  }

  private static String format(String pattern, Object... values) {
    return String.format(Locale.ROOT, pattern, values);
  }
}
