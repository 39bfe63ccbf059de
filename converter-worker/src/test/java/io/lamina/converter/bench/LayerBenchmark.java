package io.lamina.converter.bench;

import com.sun.management.OperatingSystemMXBean;
import io.lamina.converter.StoredObjects;
import io.lamina.converter.layer.ConvertedLayer;
import io.lamina.converter.layer.LayerConverter;
import io.lamina.converter.layer.LayerWork;
import io.lamina.converter.layer.ObjectPipeline;
import io.lamina.converter.layer.ObjectSink;
import io.lamina.converter.layer.PipelineSettings;
import io.lamina.cvmfs.ContentHash;
import io.lamina.cvmfs.ObjectKind;
import io.lamina.cvmfs.RepositoryPath;
import io.lamina.image.LayerDescriptor;
import io.lamina.image.layer.LayerLimits;
import io.lamina.messaging.event.WorkFigures;
import io.lamina.storage.LocalObjectStore;
import java.io.InputStream;
import java.lang.management.ManagementFactory;
import java.nio.file.Path;
import java.time.Clock;
import java.util.Random;
import java.util.concurrent.atomic.AtomicLong;

/**
 * Converts a generated layer and says what it took: {@code LayerBenchmark GIGABYTES [FOLDER]}.
 * Without a folder objects are named and dropped.
 */
public final class LayerBenchmark {
  private LayerBenchmark() {}

  public static void main(String[] arguments) throws Exception {
    long bytes = (long) (Double.parseDouble(arguments[0]) * 1e9);
    SyntheticLayer synthetic = new SyntheticLayer(42, bytes);
    LayerDescriptor layer = synthetic.descriptor();
    ObjectSink sink =
        arguments.length > 1
            ? StoredObjects.into(
                LocalObjectStore.open(
                    Path.of(arguments[1]),
                    LocalObjectStore.Settings.STANDARD,
                    Clock.systemUTC(),
                    new Random()))
            : new CountingSink();
    OperatingSystemMXBean system =
        (OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean();
    PipelineSettings settings = PipelineSettings.byDefault();
    long cpuBefore = system.getProcessCpuTime();
    try (ObjectPipeline pipeline = new ObjectPipeline(settings);
        InputStream blob = synthetic.open()) {
      ConvertedLayer converted =
          new LayerConverter(pipeline, LayerLimits.DEFAULT)
              .convert(
                  new LayerWork(layer, RepositoryPath.of("/.layers/be/bench/layerfs"), 0),
                  blob,
                  sink,
                  read -> {});
      WorkFigures figures = converted.figures();
      double seconds = figures.wallNanos() / 1e9;
      double gigabytes = figures.unpackedBytes() / 1e9;
      System.out.printf(
          "%s; %s%n%.2f GB unpacked, %.2f GB compressed, %d entries, %d objects (%d new, %.2f GB)%n"
              + "%.1f s, %.0f MB/s unpacked; processor %.1f s, %.1f s/GB; heap limit %d MB%n"
              + "catalog %s%n",
          synthetic,
          settings.compression(),
          gigabytes,
          figures.compressedBytes() / 1e9,
          figures.files(),
          figures.objects(),
          figures.newObjects(),
          figures.newBytes() / 1e9,
          seconds,
          gigabytes * 1000 / seconds,
          (system.getProcessCpuTime() - cpuBefore) / 1e9,
          (system.getProcessCpuTime() - cpuBefore) / 1e9 / gigabytes,
          Runtime.getRuntime().maxMemory() >> 20,
          converted.graft().catalog());
    }
  }

  /** Keeps nothing but the count. */
  private static final class CountingSink implements ObjectSink {
    private final AtomicLong bytes = new AtomicLong();

    @Override
    public boolean put(ObjectKind kind, ContentHash hash, byte[] stored, int offset, int length) {
      bytes.addAndGet(length);
      return true;
    }

    @Override
    public void flush() {}
  }
}
