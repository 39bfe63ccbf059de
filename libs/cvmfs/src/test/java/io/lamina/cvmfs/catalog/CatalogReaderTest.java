package io.lamina.cvmfs.catalog;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.lamina.cvmfs.ContentHash;
import io.lamina.cvmfs.CvmfsException;
import io.lamina.cvmfs.RepositoryPath;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.SQLException;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class CatalogReaderTest {
  @Test
  void readsWhatTheCatalogSaysOfItself() {
    try (CatalogReader reader = CatalogReader.open(TwoCatalogs.child())) {
      assertThat(reader.mount()).isEqualTo(TwoCatalogs.MOUNT);
      assertThat(reader.schemaRevision()).isEqualTo(7);
      assertThat(reader.revision()).isEqualTo(1);
      assertThat(reader.lastModifiedSeconds()).isEqualTo(TwoCatalogs.TIME);
      assertThat(reader.previousRevision()).isEmpty();
      assertThat(reader.self()).isEqualTo(new Counters(3, 1, 0, 2, 0, 1, 2, 4202, 4196, 1, 0, 0));
      assertThat(reader.subtree()).isEqualTo(Counters.ZERO);
      assertThat(reader.nestedCatalogs()).isEmpty();
      assertThat(reader.bindMountpoints()).isEmpty();
    }
  }

  @Test
  void listsDirectoriesAndReadsEntriesBack() {
    try (CatalogReader reader = CatalogReader.open(TwoCatalogs.child())) {
      List<CatalogRow> rows = reader.list(TwoCatalogs.MOUNT);
      CatalogRow big = rows.get(2);

      assertThat(rows)
          .extracting(CatalogRow::displayName)
          .containsExactly(".cvmfscatalog", "etc", "big");
      assertThat(reader.entry(big).chunks()).isEqualTo(TwoCatalogs.CHUNKS);
      assertThat(reader.entry(big).hash()).isNull();
      assertThat(reader.entry(rows.get(1))).isEqualTo(TwoCatalogs.directory(2));
      assertThat(reader.lookup(TwoCatalogs.MOUNT).orElseThrow().isNestedRoot()).isTrue();
      assertThat(reader.lookup(RepositoryPath.of("/layers/ab/no"))).isEmpty();
    }
  }

  @Test
  void findsTheNestedCatalogInWhichAPathLies() {
    try (CatalogReader reader = CatalogReader.open(TwoCatalogs.root())) {
      NestedCatalog child = reader.nestedCatalogs().getFirst();

      assertThat(child.path()).isEqualTo(TwoCatalogs.MOUNT);
      assertThat(reader.nestedAbove(RepositoryPath.of("/layers/ab/etc/link"))).contains(child);
      assertThat(reader.nestedAbove(RepositoryPath.of("/layers/abc"))).isEmpty();
      assertThat(reader.nestedAbove(RepositoryPath.ROOT)).isEmpty();
      assertThat(reader.lookup(TwoCatalogs.MOUNT).orElseThrow().isNestedMountpoint()).isTrue();
      assertThat(reader.total().regular()).isEqualTo(3);
    }
  }

  @Test
  void readsAFileInPlace(@TempDir Path folder) throws IOException {
    Path file = folder.resolve("cat alog%3f#.db");
    Files.write(file, TwoCatalogs.child());

    try (CatalogReader reader = CatalogReader.open(file)) {
      assertThat(reader.list(TwoCatalogs.MOUNT)).hasSize(3);
    }
    try (var files = Files.list(folder)) {
      assertThat(files).hasSize(1);
    }
  }

  @ParameterizedTest
  @CsvSource({"2.6, Rejected", "2.4, Rejected", "3, Rejected", "x, Corrupt"})
  void refusesOtherSchemas(String schema, String failure) throws SQLException {
    byte[] database =
        changed("UPDATE properties SET value = '" + schema + "' WHERE key = 'schema'");

    assertThatThrownBy(() -> CatalogReader.open(database))
        .isInstanceOf(CvmfsException.class)
        .hasMessageContaining("schema")
        .hasMessageContaining(schema)
        .satisfies(e -> assertThat(e.getClass().getSimpleName()).isEqualTo(failure));
  }

  @Test
  void acceptsASchemaNumberWithinTheTolerance() throws SQLException {
    byte[] database = changed("UPDATE properties SET value = '2.50001' WHERE key = 'schema'");

    try (CatalogReader reader = CatalogReader.open(database)) {
      assertThat(reader.list(TwoCatalogs.MOUNT)).hasSize(3);
    }
  }

  @Test
  void ignoresNanosecondsWhereTheRevisionDoesNotKnowThem() throws SQLException {
    byte[] database = changed("UPDATE properties SET value = '6' WHERE key = 'schema_revision'");

    try (CatalogReader reader = CatalogReader.open(database)) {
      assertThat(reader.lookup(TwoCatalogs.MOUNT).orElseThrow().mtimeNanos()).isNull();
    }
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "CREATE VIEW v AS SELECT 1",
        "CREATE TRIGGER t AFTER DELETE ON catalog BEGIN SELECT 1; END",
        "ALTER TABLE catalog ADD COLUMN bomb GENERATED ALWAYS AS (hex(zeroblob(100000000)))",
        "CREATE VIRTUAL TABLE f USING fts5(x)",
        "DROP TABLE chunks",
        "ALTER TABLE catalog RENAME COLUMN size TO length"
      })
  void refusesDatabasesThatAreNoPlainCatalog(String sql) throws SQLException {
    byte[] database = changed(sql);

    assertThatThrownBy(() -> CatalogReader.open(database))
        .isInstanceOf(CvmfsException.Corrupt.class)
        .hasMessageContaining("catalog");
  }

  @Test
  void refusesWhatIsNoDatabase() {
    byte[] walMode = TwoCatalogs.child();
    walMode[18] = 2;
    walMode[19] = 2;
    byte[] utf16 = TwoCatalogs.child();
    utf16[59] = 2;

    assertThatThrownBy(() -> CatalogReader.open(new byte[0]))
        .isInstanceOf(CvmfsException.Corrupt.class)
        .hasMessageContaining("no SQLite database");
    assertThatThrownBy(() -> CatalogReader.open(new byte[4096]))
        .isInstanceOf(CvmfsException.Corrupt.class);
    assertThatThrownBy(() -> CatalogReader.open(walMode))
        .isInstanceOf(CvmfsException.Corrupt.class)
        .hasMessageContaining("WAL");
    assertThatThrownBy(() -> CatalogReader.open(utf16))
        .isInstanceOf(CvmfsException.Rejected.class)
        .hasMessageContaining("encoding");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = ';',
      value = {
        "UPDATE catalog SET mode = 420 WHERE name = 'big'; file type",
        "UPDATE catalog SET flags = flags | 1792 WHERE name = 'big'; hash algorithm",
        "UPDATE catalog SET flags = flags | 14336 WHERE name = 'big'; compression",
        "UPDATE catalog SET size = 5 WHERE name = 'big'; chunks hold",
        "DELETE FROM chunks; no object",
        "UPDATE chunks SET offset = 4097 WHERE offset > 0; chunk starts",
        "UPDATE chunks SET hash = NULL; 20 bytes",
        "UPDATE catalog SET hash = x'00' WHERE name = 'big'; 20 bytes",
        "UPDATE catalog SET symlink = NULL WHERE name = 'big'; link target",
        "UPDATE catalog SET xattr = x'02' WHERE name = 'big'; version 1",
        "UPDATE catalog SET hardlinks = 0 WHERE name = 'big'; link count",
        "UPDATE catalog SET uid = -1 WHERE name = 'big'; uid"
      })
  void refusesRowsThatContradictThemselves(String sql, String message) throws SQLException {
    byte[] database = changed(sql);

    try (CatalogReader reader = CatalogReader.open(database)) {
      CatalogRow big = reader.lookup(RepositoryPath.of("/layers/ab/big")).orElseThrow();

      assertThatThrownBy(() -> reader.entry(big))
          .isInstanceOf(CvmfsException.Corrupt.class)
          .hasMessageContaining("'big'")
          .hasMessageContaining("/layers/ab")
          .hasMessageContaining(message);
    }
  }

  @Test
  void refusesAMissingCounter() throws SQLException {
    byte[] database = changed("DELETE FROM statistics WHERE counter = 'subtree_xattr'");

    try (CatalogReader reader = CatalogReader.open(database)) {
      assertThatThrownBy(reader::subtree)
          .isInstanceOf(CvmfsException.Corrupt.class)
          .hasMessageContaining("subtree_xattr");
    }
  }

  @Test
  void damageAnywhereGivesAFailureOfThisModuleOrAnAnswer() {
    byte[] sound = TwoCatalogs.child();
    Random random = new Random(42);
    for (int round = 0; round < 500; round++) {
      byte[] damaged = sound.clone();
      for (int i = 0; i < 1 + random.nextInt(20); i++) {
        damaged[random.nextInt(damaged.length)] = (byte) random.nextInt();
      }
      byte[] database = Arrays.copyOf(damaged, damaged.length - random.nextInt(2) * 700);
      try (CatalogReader reader = CatalogReader.open(database)) {
        reader.forEachRow(row -> assertThat(row.isDirectory()).isIn(true, false));
        reader.nestedCatalogs();
        reader.total();
        reader.list(TwoCatalogs.MOUNT).forEach(reader::entry);
      } catch (CvmfsException e) {
        assertThat(e).hasMessageNotContaining("null");
      }
    }
  }

  @Test
  void readsPreviousRevisions() throws SQLException {
    String hash = "b98e8e5ab99c346dcdd446045962ca1a83120041";
    byte[] database =
        changed("UPDATE properties SET value = '" + hash + "' WHERE key = 'previous_revision'");

    try (CatalogReader reader = CatalogReader.open(database)) {
      assertThat(reader.previousRevision()).contains(ContentHash.parse(hash));
    }
  }

  private static byte[] changed(String sql) throws SQLException {
    try (PlainSqlite sqlite = new PlainSqlite(TwoCatalogs.child())) {
      sqlite.execute(sql);
      return sqlite.serialize();
    }
  }

  @Test
  void xattrBlobsAreGolden() {
    byte[] capability = new byte[20];
    capability[0] = 1;
    capability[3] = 2;
    capability[5] = 4;
    assertThat(hex(Map.of("user.foo", ascii("bar")))).isEqualTo("01010803757365722e666f6f626172");
    assertThat(hex(Map.of("trusted.overlay.opaque", ascii("y"))))
        .isEqualTo("01011601747275737465642e6f7665726c61792e6f706171756579");
    assertThat(hex(Map.of("user.foo", ascii("bar"), "security.capability", capability)))
        .isEqualTo(
            "0102131473656375726974792e6361706162696c697479"
                + HexFormat.of().formatHex(capability)
                + "0803757365722e666f6f626172");
  }

  @Test
  void refusesAnAttributeWhoseNameWouldCountAsTwo() {
    byte[] blob = HexFormat.of().parseHex("01010301" + "610062" + "76");

    assertThatThrownBy(() -> XattrCodec.decode(blob))
        .isInstanceOf(CvmfsException.Corrupt.class)
        .hasMessageContaining("NUL");
  }

  private static byte[] ascii(String text) {
    return text.getBytes(StandardCharsets.US_ASCII);
  }

  private static String hex(Map<String, byte[]> attributes) {
    byte[] blob = XattrCodec.encode(Xattrs.of(attributes));
    assertThat(XattrCodec.decode(blob)).isEqualTo(Xattrs.of(attributes));
    return HexFormat.of().formatHex(Objects.requireNonNull(blob));
  }
}
