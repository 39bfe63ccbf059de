package io.lamina.standalone.bench;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.lamina.journal.replay.ReplayBench;
import io.lamina.repository.TransactionBench;
import io.lamina.standalone.bench.MountReport.Subject;
import java.util.List;
import java.util.Locale;
import java.util.OptionalDouble;

/**
 * Reports as JSON, all fields in fixed order; what does not apply to a stage, or could not be
 * measured, is null. Source: docs/benchmarks.md, "JSON".
 */
public final class BenchJson {
  private BenchJson() {}

  public static ObjectNode of(BenchReport report) {
    ObjectNode node = JsonNodeFactory.instance.objectNode();
    node.set("environment", of(report.environment()));
    ObjectNode input = node.putObject("input");
    ArrayNode images = input.putArray("images");
    report.images().forEach(images::add);
    input.put("layers", report.layers()).put("packedBytes", report.packedBytes());
    report.stages().stream()
        .findFirst()
        .ifPresentOrElse(
            first -> input.put("unpackedBytes", first.unpackedBytes()),
            () -> input.putNull("unpackedBytes"));
    ArrayNode stages = node.putArray("stages");
    report.stages().forEach(result -> stages.add(of(report, result)));
    return node;
  }

  private static ObjectNode of(Environment environment) {
    ObjectNode node = JsonNodeFactory.instance.objectNode();
    node.put("cores", environment.cores()).put("system", environment.system());
    node.put("jdk", environment.jdk()).put("heapLimitBytes", environment.heapLimitBytes());
    ArrayNode collectors = node.putArray("collectors");
    environment.collectors().forEach(collectors::add);
    node.put("libdeflate", environment.hasLibdeflate()).put("isal", environment.hasIsal());
    node.put("compression", environment.compression());
    node.put("fileSystem", environment.fileSystem());
    node.put("loadAverage", environment.loadAverage());
    return node;
  }

  private static ObjectNode of(BenchReport report, StageResult result) {
    ObjectNode node = JsonNodeFactory.instance.objectNode();
    node.put("stage", result.stage().label()).put("seconds", result.seconds());
    node.put("megabytesPerSecond", result.megabytesPerSecond());
    node.put("cpuSecondsPerGigabyte", result.cpuSecondsPerGigabyte());
    node.put("coresBusy", result.coresBusy());
    put(node, "speedAgainstPlain", report.speedAgainst(Stage.PLAIN, result));
    put(node, "speedAgainstPerFile", report.speedAgainst(Stage.PER_FILE, result));
    put(node, "cpuAgainstPlain", report.cpuAgainst(Stage.PLAIN, result));
    put(node, "cpuAgainstPerFile", report.cpuAgainst(Stage.PER_FILE, result));
    Resources.Used used = result.used();
    node.put("peakHeapBytes", used.peakHeapBytes()).put("liveHeapBytes", used.liveHeapBytes());
    used.peakResidentBytes()
        .ifPresentOrElse(
            bytes -> node.put("peakResidentBytes", bytes), () -> node.putNull("peakResidentBytes"));
    result.objects().ifPresentOrElse(objects -> put(node, objects), () -> node.putNull("objects"));
    result
        .transactions()
        .ifPresentOrElse(
            transactions -> put(node, transactions), () -> node.putNull("transactions"));
    return node;
  }

  private static void put(ObjectNode node, StageResult.Objects counted) {
    ObjectNode objects = node.putObject("objects").put("asked", counted.asked());
    counted
        .stored()
        .ifPresentOrElse(
            stored -> objects.put("stored", stored.objects()).put("storedBytes", stored.bytes()),
            () -> objects.putNull("stored").putNull("storedBytes"));
  }

  private static void put(ObjectNode node, StageResult.Transactions counted) {
    node.putObject("transactions")
        .put("published", counted.published())
        .put("unchanged", counted.unchanged())
        .put("changes", counted.changes())
        .put("insideMillis", counted.insideNanos() / 1e6)
        .put("flushMillis", counted.flushNanos() / 1e6);
  }

  private static void put(ObjectNode node, String name, OptionalDouble value) {
    value.ifPresentOrElse(number -> node.put(name, number), () -> node.putNull(name));
  }

  /** The cost of transactions by the size of the repository. */
  public static ObjectNode of(
      Environment environment, TransactionBench.Plan plan, List<TransactionBench.Row> rows) {
    ObjectNode node = JsonNodeFactory.instance.objectNode();
    node.set("environment", of(environment));
    node.put("graftsPerTransaction", plan.graftsPerTransaction());
    node.put("transactionsPerSize", plan.transactions());
    ArrayNode list = node.putArray("sizes");
    for (TransactionBench.Row row : rows) {
      list.addObject()
          .put("layers", row.layers())
          .put("insideMillis", row.totalMicros() / 1e3)
          .put("slowestMillis", row.slowestMicros() / 1e3)
          .put("cpuMillis", row.cpuMicros() / 1e3)
          .put("loadMillis", row.loadMicros() / 1e3)
          .put("applyMillis", row.applyMicros() / 1e3)
          .put("storeMillis", row.storeMicros() / 1e3)
          .put("flushMillis", row.flushMicros() / 1e3)
          .put("swapMillis", row.swapMicros() / 1e3);
    }
    TransactionBench.Row first = rows.getFirst();
    TransactionBench.Row last = rows.getLast();
    node.put("growth", (double) last.totalMicros() / first.totalMicros());
    node.put("cpuGrowth", (double) last.cpuMicros() / first.cpuMicros());
    return node;
  }

  /** A repository that is published, and rebuilt from its journal. */
  public static ObjectNode of(Environment environment, List<ReplayBench.Row> rows) {
    ObjectNode node = JsonNodeFactory.instance.objectNode();
    node.set("environment", of(environment));
    ArrayNode list = node.putArray("replay");
    for (ReplayBench.Row row : rows) {
      list.addObject()
          .put("name", row.name())
          .put("transactions", row.transactions())
          .put("seconds", row.seconds())
          .put("cpuSeconds", row.cpuSeconds())
          .put("objects", row.objects());
    }
    return node;
  }

  /** Mounts against a local folder; all samples are in it. */
  public static ObjectNode of(MountReport report) {
    ObjectNode node = JsonNodeFactory.instance.objectNode();
    MountReport.Tree tree = report.tree();
    node.put("loadAverage", report.loadAverage());
    node.putObject("tree")
        .put("entries", tree.entries())
        .put("smallFiles", tree.smallFiles())
        .put("smallBytes", tree.smallBytes())
        .put("largestBytes", tree.largestBytes());
    ArrayNode rows = node.putArray("rows");
    for (MountReading reading : MountReading.values()) {
      for (MountState state : MountState.values()) {
        ObjectNode row = rows.addObject();
        row.put("reading", reading.label()).put("state", state.label());
        put(row, "localSeconds", report.seconds(Subject.LOCAL, MountState.HOT, reading));
        put(row, "laminaSeconds", report.seconds(Subject.LAMINA, state, reading));
        put(row, "originalSeconds", report.seconds(Subject.ORIGINAL, state, reading));
        put(row, "againstLocal", report.againstLocal(state, reading));
        put(row, "againstOriginal", report.againstOriginal(state, reading));
        put(row, "freshSeconds", report.freshSeconds(Subject.LAMINA, state, reading));
        put(row, "laminaCpuSeconds", report.cpuSeconds(Subject.LAMINA, state, reading));
        put(row, "originalCpuSeconds", report.cpuSeconds(Subject.ORIGINAL, state, reading));
      }
    }
    ArrayNode samples = node.putArray("samples");
    for (MountReport.Sample sample : report.samples()) {
      samples
          .addObject()
          .put("round", sample.round())
          .put("subject", sample.subject().name().toLowerCase(Locale.ROOT))
          .put("state", sample.state().label())
          .put("reading", sample.reading().label())
          .put("seconds", sample.nanos() / 1e9)
          .put("clientCpuSeconds", sample.clientCpuNanos() / 1e9);
    }
    return node;
  }
}
