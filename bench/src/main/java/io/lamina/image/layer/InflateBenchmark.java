package io.lamina.image.layer;

import io.lamina.bench.Bytes;
import io.lamina.bench.SampleFiles;
import java.util.Arrays;
import java.util.concurrent.TimeUnit;
import java.util.zip.DataFormatException;
import java.util.zip.Deflater;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;

/** A layer's gzip is unpacked; counted in unpacked bytes. */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.Throughput)
@OutputTimeUnit(TimeUnit.SECONDS)
@Fork(1)
@Warmup(iterations = 2, time = 1)
@Measurement(iterations = 3, time = 1)
public class InflateBenchmark {
  private static final int PIECE_BYTES = 1 << 17;

  /** ISA-L only where it is installed. */
  @Param({"isal", "jdk"})
  public String engine = "jdk";

  private final byte[] packed = packed();
  private final byte[] target = new byte[1 << 18];
  private RawInflate inflate = new RawInflate.Jdk();

  @Setup
  public void open() {
    inflate.close();
    inflate = engine.equals("isal") ? new IsalInflate() : new RawInflate.Jdk();
  }

  @TearDown
  public void close() {
    inflate.close();
  }

  @Benchmark
  public long inflate(Bytes bytes) throws DataFormatException {
    inflate.reset();
    int at = 0;
    long total = 0;
    while (!inflate.finished()) {
      int n = inflate.inflate(target, 0, target.length);
      if (n == 0 && !inflate.finished()) {
        int length = Math.min(PIECE_BYTES, packed.length - at);
        inflate.input(packed, at, length);
        at += length;
      }
      total += n;
    }
    bytes.add(total);
    return total;
  }

  private static byte[] packed() {
    byte[] content = SampleFiles.read().content();
    byte[] out = new byte[content.length + (1 << 16)];
    try (Deflater deflater = new Deflater(6, true)) {
      deflater.setInput(content);
      deflater.finish();
      int length = deflater.deflate(out);
      return Arrays.copyOf(out, length);
    }
  }
}
