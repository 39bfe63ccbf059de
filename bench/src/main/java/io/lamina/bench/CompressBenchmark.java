package io.lamina.bench;

import io.lamina.cvmfs.HashAlgorithm;
import io.lamina.cvmfs.compression.CompressedObject;
import io.lamina.cvmfs.compression.Compression;
import io.lamina.cvmfs.compression.ObjectCompressor;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;

/** A file becomes an object: compressed, and named by SHA-1. */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.Throughput)
@OutputTimeUnit(TimeUnit.SECONDS)
@Fork(1)
@Warmup(iterations = 2, time = 1)
@Measurement(iterations = 3, time = 1)
public class CompressBenchmark {
  /** As {@link Compression#parse} reads it; where the library is missing the run says so. */
  @Param({"isal-1", "isal-2", "libdeflate-1", "libdeflate-3", "libdeflate-6", "jdk-1", "jdk-6"})
  public String compression = "jdk-6";

  @Param({"4096", "65536", "1048576"})
  public int fileBytes = 65536;

  private final SampleFiles files = SampleFiles.read();
  private ObjectCompressor compressor = Compression.byDefault().newCompressor();

  @Setup(Level.Trial)
  public void open() {
    compressor.close();
    compressor = Compression.parse(compression).newCompressor();
  }

  @TearDown(Level.Trial)
  public void close() {
    compressor.close();
  }

  @Benchmark
  public CompressedObject compress(Bytes bytes) {
    bytes.add(fileBytes);
    return compressor.compress(
        files.content(), files.next(fileBytes), fileBytes, HashAlgorithm.SHA1);
  }
}
