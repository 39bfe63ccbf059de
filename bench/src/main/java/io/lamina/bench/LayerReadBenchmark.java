package io.lamina.bench;

import io.lamina.converter.bench.SyntheticLayer;
import io.lamina.image.Descriptor;
import io.lamina.image.Digest;
import io.lamina.image.LayerDescriptor;
import io.lamina.image.layer.LayerEntry;
import io.lamina.image.layer.LayerLimits;
import io.lamina.image.layer.LayerReader;
import io.lamina.image.manifest.MediaTypes;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import org.apache.commons.compress.archivers.tar.TarArchiveEntry;
import org.apache.commons.compress.archivers.tar.TarArchiveOutputStream;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OperationsPerInvocation;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.Warmup;

/** Layers are read and verified: one of many tiny files, and one as images have them. */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.Throughput)
@OutputTimeUnit(TimeUnit.SECONDS)
@Fork(1)
@Warmup(iterations = 2, time = 1)
@Measurement(iterations = 3, time = 1)
public class LayerReadBenchmark {
  private static final int TINY_FILES = 20_000;
  private static final int USUAL_BYTES = 32_000_000;

  private final byte[] buffer = new byte[1 << 18];
  private final byte[] tinyBlob = tinyFiles();
  private final LayerDescriptor tiny = plain(tinyBlob);
  private final SyntheticLayer generated = new SyntheticLayer(42, USUAL_BYTES);
  private final byte[] usualBlob = bytes(generated);

  /** Uncompressed, so that headers and digests are all there is. */
  @Benchmark
  @OperationsPerInvocation(TINY_FILES)
  public long tinyFiles(Bytes bytes) throws IOException {
    return read(tiny, tinyBlob, bytes);
  }

  /** Gzipped; counted in unpacked bytes. */
  @Benchmark
  public long usualLayer(Bytes bytes) throws IOException {
    return read(generated.descriptor(), usualBlob, bytes);
  }

  private long read(LayerDescriptor layer, byte[] blob, Bytes bytes) throws IOException {
    try (LayerReader reader =
        LayerReader.open(layer, new ByteArrayInputStream(blob), LayerLimits.DEFAULT)) {
      Optional<LayerEntry> next = reader.next();
      while (next.isPresent()) {
        if (next.get() instanceof LayerEntry.RegularFile file) {
          drain(file.content());
        }
        next = reader.next();
      }
      long unpacked = reader.finish().unpackedBytes();
      bytes.add(unpacked);
      return unpacked;
    }
  }

  private void drain(InputStream content) throws IOException {
    while (content.read(buffer) >= 0) {
      // The reader hashes it.
    }
  }

  private static byte[] tinyFiles() {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try (TarArchiveOutputStream tar =
        new TarArchiveOutputStream(bytes, StandardCharsets.UTF_8.name())) {
      tar.setLongFileMode(TarArchiveOutputStream.LONGFILE_POSIX);
      byte[] content = "a line of text\n".getBytes(StandardCharsets.UTF_8);
      for (int i = 0; i < TINY_FILES; i++) {
        // Every fourth name is too long for the header itself.
        String deep = i % 4 == 0 ? "a-directory-with-a-rather-long-name/".repeat(4) : "";
        TarArchiveEntry entry = new TarArchiveEntry("usr/share/" + deep + "file-" + i);
        entry.setSize(content.length);
        entry.setModTime(0);
        tar.putArchiveEntry(entry);
        tar.write(content);
        tar.closeArchiveEntry();
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return bytes.toByteArray();
  }

  private static LayerDescriptor plain(byte[] tar) {
    Digest digest = Digest.sha256(tar);
    return new LayerDescriptor(
        new Descriptor(MediaTypes.OCI_LAYER_PLAIN, digest, tar.length), digest);
  }

  private static byte[] bytes(SyntheticLayer layer) {
    try (InputStream in = layer.open()) {
      return in.readAllBytes();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
