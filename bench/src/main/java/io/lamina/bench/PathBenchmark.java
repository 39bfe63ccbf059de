package io.lamina.bench;

import io.lamina.cvmfs.PathHash;
import io.lamina.cvmfs.RepositoryPath;
import io.lamina.image.layer.LayerLimits;
import io.lamina.image.layer.LayerPath;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.Warmup;

/** What is done with each entry's name. */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.Throughput)
@OutputTimeUnit(TimeUnit.SECONDS)
@Fork(1)
@Warmup(iterations = 2, time = 1)
@Measurement(iterations = 3, time = 1)
public class PathBenchmark {
  private static final int PATHS = 1024;

  private final byte[][] raw = new byte[PATHS][];
  private final RepositoryPath[] paths = new RepositoryPath[PATHS];
  private int next;

  @Setup
  public void name() {
    for (int i = 0; i < PATHS; i++) {
      paths[i] = RepositoryPath.of(Trees.MOUNT + Trees.path(i * 17).toString());
      raw[i] = ("." + Trees.path(i * 17)).getBytes(StandardCharsets.UTF_8);
    }
  }

  /** A name in an archive becomes a path of the layer. */
  @Benchmark
  public LayerPath clean() {
    return LayerPath.of(raw[next++ % PATHS], LayerLimits.DEFAULT);
  }

  /** MD5 of a path: its key in a catalog. */
  @Benchmark
  public PathHash hash() {
    return paths[next++ % PATHS].hash();
  }
}
