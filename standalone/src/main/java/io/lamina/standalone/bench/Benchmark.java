package io.lamina.standalone.bench;

import io.lamina.converter.StoredObjects;
import io.lamina.converter.bench.SyntheticLayer;
import io.lamina.converter.layer.ObjectPipeline;
import io.lamina.converter.layer.ObjectSink;
import io.lamina.converter.layer.PipelineSettings;
import io.lamina.converter.work.WorkSettings;
import io.lamina.cvmfs.compression.Compression;
import io.lamina.messaging.event.WorkFigures;
import io.lamina.standalone.bench.StageResult.Objects;
import io.lamina.standalone.bench.StageResult.Stored;
import io.lamina.storage.LocalObjectStore;
import java.io.IOException;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.time.Clock;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.function.Consumer;

/**
 * Runs the stages on the same layers, one stage after the other, the baselines among them. Each
 * stage works on as many layers at once as a converter does. One use, one thread.
 */
public final class Benchmark {
  /** Enough to have run every loop, and a file large enough to be cut. */
  private static final long WARM_UP_BYTES = 24_000_000;

  private static final long WARM_UP_SEED = 7;

  /** As many layers as a converter works on at once. */
  private static final int AT_ONCE = WorkSettings.DEFAULT.slots();

  private final Path folder;
  private final Compression compression;
  private final BenchInput input;
  private final BenchInput warmUp;
  private final int rounds;

  /**
   * @param folder for what is written; the caller removes it
   * @param compression of objects
   * @param rounds of each stage, 1 or more; the last one is reported
   */
  public Benchmark(Path folder, Compression compression, BenchInput input, int rounds) {
    this.folder = folder;
    this.compression = compression;
    this.input = input;
    this.rounds = rounds;
    this.warmUp = new BenchInput(folder.resolve("warm-up"), input.platform());
    warmUp.add(new SyntheticLayer(WARM_UP_SEED, WARM_UP_BYTES));
  }

  /**
   * @param stages to be run, in their own order
   * @param progress gets the report after each stage
   * @throws BenchmarkException if a stage failed, or saw other data than the one before
   */
  public BenchReport run(Set<Stage> stages, Consumer<BenchReport> progress)
      throws IOException, InterruptedException {
    BenchReport report =
        new BenchReport(
            Environment.here(folder, compression),
            input.names(),
            input.layerCount(),
            input.packedBytes(),
            List.of());
    input.warm();
    for (Stage stage : Stage.values()) {
      if (stages.contains(stage)) {
        StageResult result = run(stage);
        requireSameData(report, result);
        report = report.with(result);
        progress.accept(report);
      }
    }
    return report;
  }

  private static void requireSameData(BenchReport report, StageResult result) {
    for (StageResult earlier : report.stages()) {
      if (earlier.unpackedBytes() != result.unpackedBytes()) {
        throw new BenchmarkException(
            result.stage().label()
                + " unpacked "
                + result.unpackedBytes()
                + " bytes, "
                + earlier.stage().label()
                + " "
                + earlier.unpackedBytes());
      }
    }
  }

  private StageResult run(Stage stage) throws IOException, InterruptedException {
    return switch (stage) {
      case PLAIN -> read(stage, Baseline::plain);
      case PER_FILE -> read(stage, Baseline::perFile);
      case VERIFY -> read(stage, Conversion::verify);
      case COMPRESS -> convert(stage, _ -> Conversion.Dropped.SINK);
      case CONVERT -> convertIntoFolders(stage);
      case PUBLISH -> publish();
    };
  }

  private interface Reading {
    long read(BenchInput.Layer layer) throws IOException;
  }

  private StageResult read(Stage stage, Reading reading) throws IOException, InterruptedException {
    forEach(warmUp, reading::read);
    for (int round = 1; ; round++) {
      Resources resources = Resources.begin();
      long bytes = 0;
      for (long n : forEach(input, reading::read)) {
        bytes += n;
      }
      Resources.Used used = resources.end();
      if (round == rounds) {
        return new StageResult(stage, bytes, used, Optional.empty(), Optional.empty());
      }
    }
  }

  private interface Sinks {
    ObjectSink sink(int round) throws IOException;
  }

  /** Into a folder; each round into one of its own, as what is there is not stored again. */
  private StageResult convertIntoFolders(Stage stage) throws IOException, InterruptedException {
    Path stores = folder.resolve("stores");
    try {
      return convert(
          stage,
          round ->
              StoredObjects.into(
                  LocalObjectStore.open(
                      stores.resolve(Integer.toString(round)),
                      LocalObjectStore.Settings.STANDARD,
                      Clock.systemUTC(),
                      new SecureRandom())));
    } finally {
      WorkFolder.remove(stores);
    }
  }

  private StageResult convert(Stage stage, Sinks sinks) throws IOException, InterruptedException {
    try (ObjectPipeline pipeline = new ObjectPipeline(pipelineSettings())) {
      ObjectSink first = sinks.sink(1);
      forEach(warmUp, layer -> Conversion.convert(layer, pipeline, first));
      for (int round = 1; ; round++) {
        ObjectSink sink = round == 1 ? first : sinks.sink(round);
        Resources resources = Resources.begin();
        List<WorkFigures> figures =
            forEach(input, layer -> Conversion.convert(layer, pipeline, sink));
        Resources.Used used = resources.end();
        if (round == rounds) {
          return converted(stage, figures, used);
        }
      }
    }
  }

  private static StageResult converted(
      Stage stage, List<WorkFigures> figures, Resources.Used used) {
    Stored stored =
        new Stored(
            figures.stream().mapToLong(WorkFigures::newObjects).sum(),
            figures.stream().mapToLong(WorkFigures::newBytes).sum());
    return new StageResult(
        stage,
        figures.stream().mapToLong(WorkFigures::unpackedBytes).sum(),
        used,
        Optional.of(
            new Objects(
                figures.stream().mapToLong(WorkFigures::objects).sum(),
                stage == Stage.COMPRESS ? Optional.empty() : Optional.of(stored))),
        Optional.empty());
  }

  private PipelineSettings pipelineSettings() {
    return PipelineSettings.byDefault().withCompression(compression);
  }

  private StageResult publish() throws IOException {
    Path data = folder.resolve("lamina");
    try {
      return new Publication(data, pipelineSettings(), warmUp, input, rounds).run();
    } finally {
      WorkFolder.remove(data);
    }
  }

  private interface Task<T> {
    T run(BenchInput.Layer layer) throws IOException, InterruptedException;
  }

  private static <T> List<T> forEach(BenchInput layers, Task<T> task)
      throws IOException, InterruptedException {
    try (ExecutorService threads = Executors.newFixedThreadPool(AT_ONCE)) {
      List<Callable<T>> tasks = new ArrayList<>();
      for (BenchInput.Layer layer : layers.layers()) {
        tasks.add(() -> task.run(layer));
      }
      List<T> results = new ArrayList<>();
      for (Future<T> done : threads.invokeAll(tasks)) {
        results.add(done.get());
      }
      return results;
    } catch (ExecutionException e) {
      switch (e.getCause()) {
        case IOException io -> throw io;
        case RuntimeException failure -> throw failure;
        case Error error -> throw error;
        case null, default -> throw new IllegalStateException(e);
      }
    }
  }
}
