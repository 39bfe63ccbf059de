package io.lamina.cvmfs.catalog;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.lamina.cvmfs.ContentHash;
import io.lamina.cvmfs.CvmfsException;
import io.lamina.cvmfs.HashAlgorithm;
import io.lamina.cvmfs.PathHash;
import io.lamina.cvmfs.RepositoryPath;
import io.lamina.cvmfs.compression.CompressedObject;
import io.lamina.cvmfs.compression.CompressionAlgorithm;
import java.nio.charset.StandardCharsets;
import java.sql.SQLException;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class CatalogWriterTest {
  @ParameterizedTest
  @CsvSource({
    "'', 338333539836370388, 9098107892288553193",
    "/layers, 2447570825739551505, 2497511331617676511",
    "/layers/ab, -4731757533763000647, 7711495788027294323",
    "/layers/ab/.cvmfscatalog, -3173786730707148803, -6031917874711185786",
    "/layers/ab/etc, -6941145928830827923, -8253580403428240724",
    "/layers/ab/etc/ä, -5575983270555418817, 3557548219750153786",
    "/apt, -8449487030005645269, 9213112836863937216",
    "/new_repository, 8193369706472672701, 4868506713845114430"
  })
  void hashesPathsAsTheOriginalDoes(String path, long first, long second) {
    assertThat(RepositoryPath.of(path).hash()).isEqualTo(new PathHash(first, second));
  }

  @Test
  void writesTheRowsOfTheExample() throws SQLException {
    try (PlainSqlite child = new PlainSqlite(TwoCatalogs.child())) {
      assertThat(
              child.rows(
                  "SELECT rowid, name, parent_1, hardlinks, hex(hash), size, mode, mtime, mtimens,"
                      + " flags, symlink, hex(xattr), uid, gid FROM catalog ORDER BY rowid"))
          .containsExactly(
              "1|ab|2447570825739551505|3||4096|16877|1700000000|0|33|||0|0",
              "2|.cvmfscatalog|-4731757533763000647|1|E8EC3D88B62EBF526E4E5A4FF6162A3AA48A6B78"
                  + "|0|33188|1700000000|0|4|||0|0",
              "3|etc|-4731757533763000647|2||4096|16877|1700000000|0|1|||0|0",
              "4|hostname|-6941145928830827923|1|5798F7F4CA7585D850EEA64610A1F73D8F8DE7A3"
                  + "|6|33188|1700000000|0|4||01010803757365722E666F6F626172|0|0",
              "5|link|-6941145928830827923|1||8|41471|1700000000|0|12|hostname||0|0",
              "6|big|-4731757533763000647|1||4196|33188|1700000000|0|68|||0|0");
      assertThat(child.rows("SELECT md5path_1, md5path_2, offset, size, hex(hash) FROM chunks"))
          .containsExactly(
              "5857811869038490813|4050700500858899978|0|4096"
                  + "|C9F0AFF6E19E86960CC77443D5A2BAE1A0831E11",
              "5857811869038490813|4050700500858899978|4096|100"
                  + "|9F372E640C7F92DE7C77EE9672DF5E5D4AB7947D");
      assertThat(child.rows("SELECT key, value, typeof(value) FROM properties"))
          .containsExactlyInAnyOrder(
              "schema|2.5|text",
              "schema_revision|7|text",
              "root_prefix|/layers/ab|text",
              "last_modified|1700000000|text",
              "revision|1|text",
              "previous_revision|" + "0".repeat(40) + "|text");
      assertThat(child.rows("SELECT counter, value FROM statistics WHERE value <> 0"))
          .containsExactlyInAnyOrder(
              "self_regular|3",
              "self_symlink|1",
              "self_dir|2",
              "self_chunked|1",
              "self_chunks|2",
              "self_file_size|4202",
              "self_chunked_size|4196",
              "self_xattr|1");
      assertThat(child.rows("SELECT count(*) FROM statistics")).containsExactly("24");
    }
  }

  @Test
  void writesTheHostingCatalogOfTheExample() throws SQLException {
    try (PlainSqlite root = new PlainSqlite(TwoCatalogs.root())) {
      assertThat(
              root.rows(
                  "SELECT name, hardlinks, flags, parent_1, parent_2 FROM catalog ORDER BY rowid"))
          .containsExactly(
              "|3|1|0|0",
              "layers|3|1|338333539836370388|9098107892288553193",
              "ab|3|3|2447570825739551505|2497511331617676511");
      assertThat(root.rows("SELECT path, sha1, size FROM nested_catalogs"))
          .containsExactly(
              "/layers/ab|"
                  + TwoCatalogs.childGraft().catalog()
                  + "|"
                  + TwoCatalogs.child().length);
      assertThat(root.rows("SELECT value FROM properties WHERE key = 'TTL'"))
          .containsExactly("240");
      assertThat(root.rows("SELECT count(*) FROM properties WHERE key = 'root_prefix'"))
          .containsExactly("0");
      assertThat(root.rows("SELECT counter, value FROM statistics WHERE value <> 0"))
          .containsExactlyInAnyOrder(
              "self_dir|3",
              "self_nested|1",
              "subtree_regular|3",
              "subtree_symlink|1",
              "subtree_dir|2",
              "subtree_chunked|1",
              "subtree_chunks|2",
              "subtree_file_size|4202",
              "subtree_chunked_size|4196",
              "subtree_xattr|1");
    }
  }

  @Test
  void givesTheSameBytesEverywhere() {
    assertThat(sha1(TwoCatalogs.child())).isEqualTo("75f02702bbb0faae2dea876208d7c38cf0143fc4");
    assertThat(sha1(TwoCatalogs.root())).isEqualTo("6b162b189a23faeaec4a4b45dbc6538b36bf43b8");
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 2, 3, 7, 8, 9, 29, 30, 31, 60, 500, 1021, 5000, 60_000})
  void writesSoundTreesOfEverySize(int entries) throws SQLException {
    RepositoryPath mount = RepositoryPath.of("/m");
    Random random = new Random(entries);
    CatalogWriter writer =
        new CatalogWriter(CatalogProperties.firstNested(mount, 1), TwoCatalogs.directory(2));
    Map<String, String> expected = new HashMap<>();
    for (int i = 1; i < entries; i++) {
      RepositoryPath path = mount.resolve("entry-" + i + "x".repeat(random.nextInt(200)));
      CatalogEntry entry = randomEntry(random);
      writer.add(path, entry);
      expected.put(path.toString(), entry.mode() + "|" + entry.sizeBytes());
    }
    byte[] database = writer.finish();

    try (PlainSqlite sqlite = new PlainSqlite(database)) {
      assertThat(sqlite.rows("PRAGMA integrity_check")).containsExactly("ok");
      assertThat(sqlite.rows("PRAGMA foreign_key_check")).isEmpty();
      assertThat(sqlite.rows("SELECT count(*), min(rowid), max(rowid) FROM catalog"))
          .containsExactly(entries + "|1|" + entries);
      assertThat(sqlite.rows("PRAGMA freelist_count")).containsExactly("0");
    }
    try (CatalogReader reader = CatalogReader.open(database)) {
      for (CatalogRow row : reader.list(mount)) {
        CatalogEntry entry = reader.entry(row);
        String path = mount + "/" + row.displayName();
        assertThat(entry.mode() + "|" + entry.sizeBytes()).isEqualTo(expected.remove(path));
        assertThat(reader.lookup(RepositoryPath.of(path)).orElseThrow().rowId())
            .isEqualTo(row.rowId());
      }
      assertThat(expected).isEmpty();
    }
  }

  @Test
  void staysSoundWhenSqliteChangesTheFileAfterwards() throws SQLException {
    CatalogWriter writer =
        new CatalogWriter(
            CatalogProperties.firstNested(RepositoryPath.of("/m"), 1), TwoCatalogs.directory(2));
    Random random = new Random(5);
    for (int i = 0; i < 3000; i++) {
      writer.add(RepositoryPath.of("/m/" + i), randomEntry(random));
    }

    try (PlainSqlite sqlite = new PlainSqlite(writer.finish())) {
      sqlite.execute("DELETE FROM catalog WHERE rowid % 3 = 0");
      sqlite.execute("DELETE FROM chunks WHERE offset = 0");
      sqlite.execute(
          "INSERT INTO catalog SELECT md5path_1 + 1, md5path_2, parent_1, parent_2, hardlinks, hash,"
              + " size, mode, mtime, mtimens, flags, name, symlink, uid, gid, xattr FROM catalog");
      sqlite.execute("UPDATE catalog SET symlink = hex(zeroblob(700)) WHERE rowid % 7 = 0");

      assertThat(sqlite.rows("PRAGMA integrity_check")).containsExactly("ok");
      assertThat(sqlite.rows("SELECT count(*) FROM catalog")).containsExactly("4002");
    }
  }

  @Test
  void spillsLongValuesToOverflowPages() throws SQLException {
    RepositoryPath mount = RepositoryPath.of("/" + "d".repeat(255) + "/" + "e".repeat(255));
    CatalogWriter writer =
        new CatalogWriter(CatalogProperties.firstNested(mount, 1), TwoCatalogs.directory(2));
    Map<String, byte[]> attributes = new HashMap<>();
    for (int i = 0; i < 255; i++) {
      attributes.put("user.%03d".formatted(i) + "n".repeat(247), new byte[255]);
    }
    CatalogEntry heavy =
        TwoCatalogs.entry(
            CatalogEntry.REGULAR | 0600,
            1,
            TwoCatalogs.HELLO,
            "",
            Xattrs.of(attributes),
            List.of());
    for (int length = 1; length <= 4095; length += 89) {
      writer.add(
          mount.resolve("link" + length),
          CatalogEntry.symlink("t".repeat(length).getBytes(StandardCharsets.US_ASCII), 5));
    }
    writer.add(mount.resolve("heavy"), heavy);
    RepositoryPath deep = mount.resolve("f".repeat(255)).resolve("g".repeat(255));
    writer.addNested(
        new Graft(deep, TwoCatalogs.HELLO, 5, TwoCatalogs.directory(2), Counters.ZERO));
    byte[] database = writer.finish();

    try (PlainSqlite sqlite = new PlainSqlite(database);
        CatalogReader reader = CatalogReader.open(database)) {
      assertThat(sqlite.rows("PRAGMA integrity_check")).containsExactly("ok");
      assertThat(reader.entry(reader.lookup(mount.resolve("heavy")).orElseThrow()))
          .isEqualTo(heavy);
      for (int length = 1; length <= 4095; length += 89) {
        CatalogRow row = reader.lookup(mount.resolve("link" + length)).orElseThrow();
        assertThat(row.symlink()).hasSize(length).containsOnly('t');
      }
      assertThat(reader.nestedAt(deep).orElseThrow().path()).isEqualTo(deep);
      assertThat(reader.nestedAbove(deep.resolve("x")).orElseThrow().path()).isEqualTo(deep);
      assertThat(reader.nestedAbove(mount.resolve("heavy"))).isEmpty();
    }
  }

  @Test
  void keepsNamesAndTargetsThatAreNotUtf8() throws SQLException {
    byte[] odd = {'a', (byte) 0xff, '\n', (byte) 0x80};
    RepositoryPath path = RepositoryPath.of("/m").resolve(odd);
    CatalogWriter writer =
        new CatalogWriter(
            CatalogProperties.firstNested(RepositoryPath.of("/m"), 1), TwoCatalogs.directory(2));
    writer.add(path, CatalogEntry.symlink(odd, 7));
    byte[] database = writer.finish();

    try (CatalogReader reader = CatalogReader.open(database);
        PlainSqlite sqlite = new PlainSqlite(database)) {
      CatalogRow row = reader.lookup(path).orElseThrow();
      assertThat(row.name()).isEqualTo(odd);
      assertThat(row.symlink()).isEqualTo(odd);
      assertThat(sqlite.rows("SELECT typeof(name), typeof(symlink) FROM catalog ORDER BY rowid"))
          .containsExactly("text|text", "blob|blob");
    }
  }

  @Test
  void refusesTwoEntriesWithOnePath() {
    CatalogWriter writer = TwoCatalogs.childWriter();
    writer.add(TwoCatalogs.MOUNT.resolve("big"), TwoCatalogs.file(6, TwoCatalogs.HELLO));

    assertThatThrownBy(writer::finish)
        .isInstanceOf(CvmfsException.Rejected.class)
        .hasMessageContaining("rows 6 and 7")
        .hasMessageContaining("/layers/ab");
  }

  @Test
  void refusesPathsOutsideTheCatalog() {
    CatalogWriter writer = TwoCatalogs.childWriter();

    assertThatThrownBy(() -> writer.add(RepositoryPath.of("/layers/abc"), TwoCatalogs.directory(2)))
        .isInstanceOf(CvmfsException.Rejected.class)
        .hasMessageContaining("not below the catalog at /layers/ab: /layers/abc");
  }

  @Test
  void refusesToHangACatalogAtAPathOutsideUtf8() {
    RepositoryPath odd = TwoCatalogs.MOUNT.resolve(new byte[] {(byte) 0xfe});

    assertThatThrownBy(() -> CatalogProperties.firstNested(odd, 1))
        .isInstanceOf(CvmfsException.Rejected.class)
        .hasMessageContaining("outside UTF-8");
    assertThatThrownBy(
            () ->
                TwoCatalogs.childWriter()
                    .addNested(
                        new Graft(
                            odd, TwoCatalogs.HELLO, 1, TwoCatalogs.directory(2), Counters.ZERO)))
        .isInstanceOf(CvmfsException.Rejected.class)
        .hasMessageContaining("outside UTF-8");
  }

  private static CatalogEntry randomEntry(Random random) {
    byte[] digest = new byte[20];
    random.nextBytes(digest);
    HashAlgorithm algorithm = HashAlgorithm.values()[random.nextInt(3)];
    ContentHash hash = ContentHash.of(algorithm, digest);
    long size = random.nextLong() >>> (1 + random.nextInt(62));
    return switch (random.nextInt(4)) {
      case 0 -> TwoCatalogs.directory(2);
      case 1 ->
          CatalogEntry.symlink(new byte[] {(byte) (1 + random.nextInt(127))}, random.nextInt());
      case 2 ->
          TwoCatalogs.entry(
              CatalogEntry.REGULAR | 0644,
              2 + (size >>> 1),
              null,
              "",
              Xattrs.NONE,
              List.of(new Chunk(0, 1, hash), new Chunk(1, 1 + (size >>> 1), hash)));
      default ->
          new CatalogEntry(
              CatalogEntry.REGULAR | random.nextInt(010000),
              random.nextInt() & 0xffffffffL,
              random.nextInt(70_000),
              size,
              random.nextLong() >> random.nextInt(60),
              random.nextInt(2) - 1,
              0,
              1,
              hash,
              random.nextBoolean() ? CompressionAlgorithm.ZLIB : CompressionAlgorithm.NONE,
              new byte[0],
              Xattrs.NONE,
              List.of());
    };
  }

  private static String sha1(byte[] bytes) {
    return CompressedObject.ofStored(Arrays.copyOf(bytes, bytes.length), HashAlgorithm.SHA1)
        .hash()
        .hex();
  }
}
