package io.lamina.cvmfs.catalog;

import static org.assertj.core.api.Assertions.assertThat;

import io.lamina.cvmfs.CvmfsException;
import io.lamina.fuzzing.FuzzTarget;
import io.lamina.fuzzing.Fuzzer;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Catalogs and attributes of other sites, or of whoever can write to a site's storage. */
@Timeout(86_400)
class CatalogFuzzTest {
  private static final List<byte[]> WORDS =
      Stream.of(
              "CREATE TABLE catalog (a)",
              "CREATE VIEW catalog AS SELECT * FROM catalog",
              "CREATE TRIGGER t AFTER INSERT ON chunks BEGIN SELECT 1; END",
              "WITHOUT ROWID",
              "counter",
              "-9223372036854775808",
              "../",
              "\0",
              "schema",
              "2.5",
              "\r\0\0\0\0",
              "\5\0\0\0\1")
          .map(word -> word.getBytes(StandardCharsets.ISO_8859_1))
          .toList();

  static Stream<FuzzTarget> targets() {
    return Stream.of(
        new FuzzTarget(
            "catalog",
            CatalogFuzzTest::readCatalog,
            Set.of(CvmfsException.Corrupt.class, CvmfsException.Rejected.class),
            List.of(TwoCatalogs.child(), TwoCatalogs.root()),
            WORDS,
            CatalogFuzzTest::withHeader,
            new FuzzTarget.Limits(64 << 20, 200, 20_000, 8)),
        new FuzzTarget(
            "extended attributes",
            CatalogFuzzTest::readXattrs,
            Set.of(CvmfsException.Corrupt.class),
            List.of(
                encoded(Map.of("user.a", "value", "security.capability", "\1\0\0\2")),
                encoded(Map.of("trusted.overlay.opaque", "y")),
                new byte[] {1, 0}),
            List.of(),
            UnaryOperator.identity(),
            new FuzzTarget.Limits(1 << 20, 64, 0, 1)));
  }

  @ParameterizedTest
  @MethodSource("targets")
  void answersAsDocumentedWhateverItReads(FuzzTarget target) {
    Fuzzer.Report report =
        Fuzzer.run(
            target,
            Fuzzer.seed(),
            Fuzzer.Until.standard(target.name().equals("catalog") ? 400 : 5000));

    System.out.println(report);
    assertThat(report.answers()).isPositive();
    assertThat(report.signatures()).isGreaterThan(3);
  }

  private static long readCatalog(byte[] database) {
    AtomicLong things = new AtomicLong();
    try (CatalogReader reader = CatalogReader.open(database)) {
      reader.properties();
      reader.mount();
      reader.previousRevision();
      reader.statistics();
      reader.total();
      things.addAndGet(reader.nestedCatalogs().size());
      reader.bindMountpoints();
      things.addAndGet(reader.list(TwoCatalogs.MOUNT).size());
      reader.forEachRow(
          row -> {
            things.incrementAndGet();
            reader.entry(row);
          });
    }
    return things.get();
  }

  /** What is read can be written, and is the same when it is read again. */
  private static long readXattrs(byte[] blob) {
    Xattrs xattrs = XattrCodec.decode(blob);
    assertThat(XattrCodec.decode(XattrCodec.encode(xattrs))).isEqualTo(xattrs);
    return blob.length;
  }

  private static byte[] encoded(Map<String, String> texts) {
    Map<String, byte[]> values = new java.util.TreeMap<>();
    texts.forEach((name, value) -> values.put(name, value.getBytes(StandardCharsets.ISO_8859_1)));
    return java.util.Objects.requireNonNull(XattrCodec.encode(Xattrs.of(values)));
  }

  /** A page count that fits the length, and the magic words, let SQLite read on. */
  private static byte[] withHeader(byte[] database) {
    byte[] mended = database.clone();
    if (mended.length >= 100) {
      byte[] magic = "SQLite format 3\0".getBytes(StandardCharsets.ISO_8859_1);
      System.arraycopy(magic, 0, mended, 0, magic.length);
      int page = (mended[16] & 0xff) << 8 | mended[17] & 0xff;
      if (page >= 512) {
        ByteBuffer.wrap(mended).putInt(28, mended.length / page);
      }
    }
    return mended;
  }
}
