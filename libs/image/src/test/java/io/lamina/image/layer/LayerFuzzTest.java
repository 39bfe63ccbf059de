package io.lamina.image.layer;

import static org.assertj.core.api.Assertions.assertThat;

import io.lamina.fuzzing.FuzzTarget;
import io.lamina.fuzzing.Fuzzer;
import io.lamina.image.Descriptor;
import io.lamina.image.Digest;
import io.lamina.image.ImageException;
import io.lamina.image.LayerDescriptor;
import io.lamina.image.layer.TarBytes.Header;
import io.lamina.image.manifest.MediaTypes;
import io.lamina.image.testing.TarBuilder;
import io.lamina.image.testing.TarBuilder.Compression;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Layers as an attacker writes them. */
@Timeout(86_400)
class LayerFuzzTest {
  private static final int MAX_UNPACKED = 4 << 20;
  private static final LayerLimits LIMITS =
      new LayerLimits(
          2000,
          4000,
          256,
          4095,
          255,
          1 << 20,
          2 << 20,
          65_536,
          MAX_UNPACKED,
          MAX_UNPACKED,
          200,
          MAX_UNPACKED);

  /** Two blocks of the reader, and the largest header with what is made of it. */
  private static final FuzzTarget.Limits COSTS = new FuzzTarget.Limits(48L << 20, 64, 8, 1);

  private static final List<byte[]> WORDS =
      Stream.of(
              "ustar\00000",
              "ustar  \0",
              "././@LongLink",
              "../",
              "/",
              ".wh.",
              ".wh..wh..opq",
              "22 path=../../../etc\n",
              "30 SCHILY.xattr.user.a=value1\n",
              "19 size=8589934592\n",
              "GNU.sparse.map=0,1,9,1",
              "GNU.sparse.major=1",
              "GNU.sparse.realsize=99999999999",
              "\377\377\377\377\377\377\377\377",
              "\200\0\0\0\0\0\0\0")
          .map(word -> word.getBytes(StandardCharsets.ISO_8859_1))
          .toList();

  static Stream<FuzzTarget> targets() {
    return Stream.of(
        new FuzzTarget(
            "tar archive",
            LayerFuzzTest::readArchive,
            Set.of(ImageException.Rejected.class),
            corpus(),
            WORDS,
            LayerFuzzTest::withChecksums,
            COSTS),
        new FuzzTarget(
            "compressed layer",
            LayerFuzzTest::readLayer,
            Set.of(ImageException.Rejected.class),
            compressed(),
            WORDS,
            UnaryOperator.identity(),
            COSTS));
  }

  @ParameterizedTest
  @MethodSource("targets")
  void answersAsDocumentedWhateverItReads(FuzzTarget target) {
    Fuzzer.Report report = Fuzzer.run(target, Fuzzer.seed(), Fuzzer.Until.standard(1500));

    System.out.println(report);
    assertThat(report.answers()).isPositive();
    assertThat(report.signatures()).isGreaterThan(5);
  }

  private static List<byte[]> corpus() {
    byte[] usual =
        new TarBuilder()
            .directory("usr", 0755)
            .file("usr/a", 04755, "content")
            .file("pax", 0644, new byte[700], Map.of("SCHILY.xattr.user.x", "y"))
            .symlink("link", "usr/a")
            .hardLink("hard", "usr/a")
            .fifo("fifo", 0600)
            .characterDevice("null", 0666, 1, 3)
            .whiteout("usr/gone")
            .opaque("usr")
            .toBytes();
    byte[] odd =
        new TarBytes()
            .pax("path", "long/" + "n".repeat(300), "mtime", "1.5", "uid", "4294967294")
            .file("x", new byte[3])
            .pax("GNU.sparse.major", "1", "GNU.sparse.minor", "0", "GNU.sparse.realsize", "4096")
            .add(new Header("sparse", '0', 1024), sparse())
            .add(new Header("././@LongLink", 'L', 200), TarBytes.latin1("l".repeat(199) + "\0"))
            .file("short", new byte[1])
            .pax('g', TarBytes.latin1("gid"), TarBytes.latin1("7"))
            .entry("last/", '5')
            .end();
    return List.of(usual, odd, new TarBytes().end(), new byte[0]);
  }

  private static byte[] sparse() {
    byte[] data = new byte[1024];
    byte[] map = TarBytes.latin1("2\n0\n256\n2048\n256\n");
    System.arraycopy(map, 0, data, 0, map.length);
    return data;
  }

  private static List<byte[]> compressed() {
    return corpus().stream()
        .flatMap(
            tar ->
                Stream.of(Compression.values())
                    .map(compression -> TarBuilder.compress(tar, compression)))
        .toList();
  }

  private static long readArchive(byte[] archive) throws IOException {
    TarEntries entries = TarEntries.of(new ByteArrayInputStream(archive), LIMITS);
    long count = 0;
    long bytes = 0;
    for (Optional<LayerEntry> entry = entries.next(); entry.isPresent(); entry = entries.next()) {
      count++;
      bytes += contentBytes(entry.get());
    }
    entries.finish();
    assertThat(bytes).isLessThanOrEqualTo(MAX_UNPACKED);
    return count;
  }

  private static long readLayer(byte[] blob) throws IOException {
    Digest digest = Digest.sha256(blob);
    LayerDescriptor layer =
        new LayerDescriptor(new Descriptor(MediaTypes.OCI_LAYER_GZIP, digest, blob.length), digest);
    long count = 0;
    try (LayerReader reader = LayerReader.open(layer, new ByteArrayInputStream(blob), LIMITS)) {
      for (Optional<LayerEntry> entry = reader.next(); entry.isPresent(); entry = reader.next()) {
        count++;
        contentBytes(entry.get());
      }
      try {
        reader.finish();
      } catch (ImageException.Rejected e) {
        // The diff id, which is made up.
      }
    }
    return count;
  }

  private static long contentBytes(LayerEntry entry) throws IOException {
    assertThat(entry.path().toString()).doesNotContain("\0").doesNotStartWith("/");
    assertThat(List.of(entry.path().toString().split("/"))).doesNotContain("..");
    return entry instanceof LayerEntry.RegularFile file ? drained(file) : 0;
  }

  private static long drained(LayerEntry.RegularFile file) throws IOException {
    try (InputStream content = file.content()) {
      byte[] buffer = new byte[8192];
      long bytes = 0;
      for (int n = content.read(buffer); n >= 0; n = content.read(buffer)) {
        bytes += n;
      }
      assertThat(bytes).isEqualTo(file.sizeBytes());
      return bytes;
    }
  }

  /** Changed headers with a right checksum get further. */
  private static byte[] withChecksums(byte[] archive) {
    byte[] mended = archive.clone();
    for (int at = 0; at + 512 <= mended.length; at += 512) {
      boolean isHeader =
          mended[at + 257] == 'u' && mended[at + 258] == 's' && mended[at + 259] == 't';
      if (isHeader) {
        java.util.Arrays.fill(mended, at + 148, at + 156, (byte) ' ');
        int sum = 0;
        for (int i = at; i < at + 512; i++) {
          sum += mended[i] & 0xff;
        }
        byte[] text = TarBytes.latin1(String.format("%06o\0 ", sum));
        System.arraycopy(text, 0, mended, at + 148, 8);
      }
    }
    return mended;
  }
}
