package io.lamina.converter.layer;

import io.lamina.bench.Bytes;
import io.lamina.bench.SampleFiles;
import java.util.Arrays;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.Warmup;

/** What is done with content before it is compressed. */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.Throughput)
@OutputTimeUnit(TimeUnit.SECONDS)
@Fork(1)
@Warmup(iterations = 2, time = 1)
@Measurement(iterations = 3, time = 1)
public class ContentBenchmark {
  private static final int FILE_BYTES = 64 << 10;

  private final SampleFiles files = SampleFiles.read();
  private final byte[] large = Arrays.copyOf(files.content(), ChunkSizes.DEFAULT.maxBytes());
  private final ContentCutter cutter = new ContentCutter(ChunkSizes.DEFAULT);

  /** Looks for the end of a chunk. */
  @Benchmark
  public int cut(Bytes bytes) {
    cutter.startChunk();
    int end = cutter.find(large, large.length);
    bytes.add(end);
    return end;
  }

  /** Looks whether a file is noise. */
  @Benchmark
  public boolean isNoise(Bytes bytes) {
    bytes.add(FILE_BYTES);
    return Entropy.isNoise(files.content(), files.next(FILE_BYTES), FILE_BYTES);
  }
}
