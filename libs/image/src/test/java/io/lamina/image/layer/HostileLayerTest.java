package io.lamina.image.layer;

import static io.lamina.image.layer.TarBytes.latin1;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.lamina.image.ImageException;
import io.lamina.image.layer.TarBytes.Header;
import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class HostileLayerTest {
  private static final LayerLimits SMALL =
      new LayerLimits(10, 100, 5, 50, 3, 100, 4096, 4, 10_000, 1 << 20, 20, 64 << 10);

  private static void assertRejected(byte[] tar, String... reasons) {
    assertThatThrownBy(
            () -> {
              try (LayerReader reader = Blobs.open(Blobs.TAR, tar, tar, SMALL)) {
                Blobs.readAll(reader);
              }
            })
        .isInstanceOf(ImageException.Rejected.class)
        .message()
        .contains(reasons);
  }

  @ParameterizedTest
  @ValueSource(strings = {"../x", "a/../../x", "a/..", "..", "/../etc/passwd", "./.."})
  void rejectsPathsThatLeaveTheLayer(String name) {
    assertRejected(new TarBytes().file(name, new byte[0]).end(), "'..'", name);
    assertRejected(
        new TarBytes().add(new Header("link", '1', 0).link(name), new byte[0]).end(), "'..'", name);
    assertRejected(new TarBytes().pax("path", name).file("x", new byte[0]).end(), "'..'", name);
  }

  @Test
  void rejectsNulInNamesAndTargets() {
    assertRejected(
        new TarBytes().pax("path", "a\0b").file("x", new byte[0]).end(), "NUL", "a\\x00b");
    assertRejected(new TarBytes().pax("linkpath", "a\0b").entry("x", '2').end(), "NUL");
  }

  @Test
  void rejectsWhiteoutsOfDirectoriesThemselves() {
    assertRejected(new TarBytes().file("a/.wh...", new byte[0]).end(), "does not name an entry");
    assertRejected(new TarBytes().file("a/.wh..", new byte[0]).end(), "does not name an entry");
    assertRejected(new TarBytes().file("a/.wh.", new byte[0]).end(), "does not name an entry");
  }

  @Test
  void rejectsARootThatIsNoDirectory() {
    assertRejected(
        new TarBytes().add(new Header("./", '2', 0).link("/"), new byte[0]).end(), "root");
    assertRejected(new TarBytes().file(".", new byte[0]).end(), "root");
  }

  @Test
  void rejectsMoreEntriesThanAllowed() {
    TarBytes tar = new TarBytes();
    for (int i = 0; i < 11; i++) {
      tar.file("f" + i, new byte[0]);
    }

    assertRejected(tar.end(), "more than 10 entries");
  }

  @Test
  void rejectsNamesPathsDepthsAndTargetsOverTheirLimits() {
    assertRejected(
        new TarBytes().pax("path", "n".repeat(256)).file("x", new byte[0]).end(), "256 bytes");
    assertRejected(
        new TarBytes()
            .pax("path", "n".repeat(60) + "/" + "m".repeat(60))
            .file("x", new byte[0])
            .end(),
        "121 bytes",
        "limit 100");
    assertRejected(new TarBytes().file("a/b/c/d/e/f", new byte[0]).end(), "6 directories");
    assertRejected(
        new TarBytes().add(new Header("l", '2', 0).link("t".repeat(51)), new byte[0]).end(),
        "51 bytes",
        "limit of link bytes");
  }

  @Test
  void rejectsAttributesOverTheirLimits() {
    assertRejected(
        new TarBytes().pax("SCHILY.xattr.user.a", "v".repeat(100)).file("x", new byte[0]).end(),
        "'x'",
        "extended attributes");
    assertRejected(
        new TarBytes()
            .pax(
                "SCHILY.xattr.a",
                "",
                "SCHILY.xattr.b",
                "",
                "SCHILY.xattr.c",
                "",
                "SCHILY.xattr.d",
                "")
            .file("x", new byte[0])
            .end(),
        "4 extended attributes");
  }

  @Test
  void rejectsAbsurdSizesBeforeReadingThem() {
    byte[] huge = new byte[12];
    Arrays.fill(huge, (byte) 0xff);
    huge[0] = (byte) 0x80;
    assertRejected(
        new TarBytes().add(new Header("f", '0', 0).text(124, 12, huge), new byte[0]).end(),
        "size of entry 'f'",
        "63 bits");
    byte[] negative = new byte[12];
    Arrays.fill(negative, (byte) 0xff);
    assertRejected(
        new TarBytes().add(new Header("f", '0', 0).text(124, 12, negative), new byte[0]).end(),
        "negative size");
    assertRejected(
        new TarBytes().add(new Header("f", '0', 077777777777L), new byte[0]).end(),
        "limit of file bytes");
    assertRejected(
        new TarBytes().add(new Header("f", 'L', 077777777777L), new byte[0]).end(),
        "limit of header bytes");
    assertRejected(
        new TarBytes().pax("size", "9223372036854775807").file("f", new byte[0]).end(),
        "is not a number");
    assertRejected(
        new TarBytes().pax("size", "-5").file("f", new byte[0]).end(), "is not a number");
  }

  @Test
  void rejectsSparseFilesThatLie() {
    assertRejected(
        new TarBytes()
            .pax("GNU.sparse.size", "1099511627776", "GNU.sparse.map", "0,1")
            .file("s", new byte[1])
            .end(),
        "limit of file bytes");
    assertRejected(
        new TarBytes()
            .pax("GNU.sparse.size", "100", "GNU.sparse.map", "50,10,40,10")
            .file("s", new byte[20])
            .end(),
        "does not fit");
    assertRejected(
        new TarBytes()
            .pax("GNU.sparse.size", "100", "GNU.sparse.map", "1,922337203685477579")
            .file("s", new byte[20])
            .end(),
        "does not fit");
    assertRejected(
        new TarBytes()
            .pax("GNU.sparse.size", "100", "GNU.sparse.map", "0,10")
            .file("s", new byte[20])
            .end(),
        "20 are stored");
    assertRejected(
        new TarBytes()
            .pax("GNU.sparse.size", "100", "GNU.sparse.map", "0,1,2,1,4,1,6,1,8,1")
            .file("s", new byte[5])
            .end(),
        "limit of sparse segments");
    assertRejected(
        new TarBytes()
            .pax("GNU.sparse.major", "1", "GNU.sparse.minor", "0", "GNU.sparse.realsize", "100")
            .file("s", Arrays.copyOf(latin1("4000000000\n"), 512))
            .end(),
        "limit of sparse segments");
    assertRejected(
        new TarBytes()
            .pax("GNU.sparse.major", "2", "GNU.sparse.minor", "0", "GNU.sparse.realsize", "100")
            .file("s", new byte[512])
            .end(),
        "2.0");
  }

  @Test
  void rejectsChainsOfSparseBlocksWithoutEnd() {
    Header header = new Header("s", 'S', 0).magic("ustar  \0").octal(483, 12, 100);
    header.block[482] = 1;
    byte[] empty = new byte[512];
    empty[504] = 1;
    TarBytes tar = new TarBytes().add(header, new byte[0]);
    for (int i = 0; i < 10; i++) {
      tar.raw(empty);
    }

    assertRejected(tar.end(), "sparse segments");
  }

  @Test
  void countsHolesAsUnpackedBytes() {
    TarBytes tar = new TarBytes();
    LayerLimits limits = new LayerLimits(1000, 100, 5, 50, 3, 100, 4096, 4, 10_000, 20_000, 20, 0);
    for (int i = 0; i < 3; i++) {
      tar.pax("GNU.sparse.size", "9000", "GNU.sparse.map", "0,1").file("s" + i, new byte[1]);
    }
    byte[] bytes = tar.end();

    assertThatThrownBy(
            () -> {
              try (LayerReader reader = Blobs.open(Blobs.TAR, bytes, bytes, limits)) {
                Blobs.readAll(reader);
              }
            })
        .isInstanceOf(ImageException.Rejected.class)
        .hasMessageContaining("'s2'")
        .hasMessageContaining("holes");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "x",
        "5 a",
        "999999999999 a=b\n",
        "4 a=b\n",
        "3 a\n",
        "6 abc\n",
        "-7 a=b\n",
        "7 a=b\nx"
      })
  void rejectsMalformedPaxRecords(String body) {
    byte[] bytes = latin1(body);

    assertRejected(
        new TarBytes()
            .add(new Header("pax", 'x', bytes.length), bytes)
            .file("f", new byte[0])
            .end(),
        "malformed PAX record");
  }

  @Test
  void rejectsHeadersWithoutAValidChecksum() {
    byte[] tar = new TarBytes().file("f", new byte[0]).end();
    tar[0] ^= 1;

    assertRejected(tar, "no tar header at byte 0");
    assertRejected(new byte[] {1, 2, 3}, "ends within the tar header");
  }

  @Test
  void rejectsArchivesThatEndTooEarly() {
    byte[] tar = new TarBytes().file("f", new byte[2000]).unfinished();

    assertRejected(Arrays.copyOf(tar, 1500), "ends within the content of entry 'f'");
    assertRejected(Arrays.copyOf(tar, 300), "ends within the tar header");
    assertRejected(new TarBytes().pax("path", "x").end(), "ends with an extended header");
  }

  @Test
  void rejectsIdsAndDeviceNumbersThatCannotExist() {
    assertRejected(
        new TarBytes().pax("uid", "4294967295").file("f", new byte[0]).end(), "uid 4294967295");
    assertRejected(
        new TarBytes().add(new Header("d", '3', 0).octal(329, 8, 4096), new byte[0]).end(),
        "device number 4096:0");
  }

  @Test
  void rejectsGzipBombsByRatioAndBySize() {
    byte[] tar = new TarBytes().file("f", new byte[900_000]).end();
    byte[] blob = Blobs.gzip(tar);
    LayerLimits bySize =
        new LayerLimits(10, 100, 5, 50, 3, 100, 4096, 4, 1 << 20, 500_000, 1 << 20, 0);
    LayerLimits byRatio =
        new LayerLimits(10, 100, 5, 50, 3, 100, 4096, 4, 1 << 20, 1 << 20, 20, 64 << 10);

    assertThatThrownBy(() -> read(blob, tar, bySize))
        .isInstanceOf(ImageException.Rejected.class)
        .hasMessageContaining("limit of unpacked bytes");
    assertThatThrownBy(() -> read(blob, tar, byRatio))
        .isInstanceOf(ImageException.Rejected.class)
        .hasMessageContaining("limit of the decompression ratio");
  }

  private static void read(byte[] blob, byte[] tar, LayerLimits limits) {
    try (LayerReader reader = Blobs.open(Blobs.GZIP, blob, tar, limits)) {
      Blobs.readAll(reader);
    }
  }

  @Test
  void readsWhatFollowsTheEndMarkOnlyForTheDigest() {
    byte[] tar =
        new TarBytes().file("f", latin1("x")).raw(new byte[1024]).file("g", latin1("y")).end();

    try (LayerReader reader = Blobs.open(tar)) {
      assertThat(reader.next()).isPresent();
      assertThat(reader.next()).isEmpty();
      LayerReader.Totals totals = reader.finish();

      assertThat(totals.trailingGarbage()).isTrue();
      assertThat(totals.unpackedBytes()).isEqualTo(tar.length);
    }
  }
}
