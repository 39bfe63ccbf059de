package io.lamina.bench;

import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.Warmup;

/** Objects are named by SHA-1; blobs and archives are verified by SHA-256; paths filed by MD5. */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.Throughput)
@OutputTimeUnit(TimeUnit.SECONDS)
@Fork(1)
@Warmup(iterations = 2, time = 1)
@Measurement(iterations = 3, time = 1)
public class DigestBenchmark {
  private static final int PIECE_BYTES = 64 << 10;

  @Param({"SHA-1", "SHA-256", "MD5"})
  public String algorithm = "SHA-1";

  private final SampleFiles files = SampleFiles.read();

  @Benchmark
  public byte[] digest(Bytes bytes) throws NoSuchAlgorithmException {
    bytes.add(PIECE_BYTES);
    MessageDigest digest = MessageDigest.getInstance(algorithm);
    digest.update(files.content(), files.next(PIECE_BYTES), PIECE_BYTES);
    return digest.digest();
  }
}
