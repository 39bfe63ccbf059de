package io.lamina.image.layer;

import static io.lamina.image.layer.TarBytes.latin1;
import static org.assertj.core.api.Assertions.assertThat;

import io.lamina.image.layer.Blobs.Read;
import io.lamina.image.layer.LayerEntry.Device;
import io.lamina.image.layer.LayerEntry.Directory;
import io.lamina.image.layer.LayerEntry.Fifo;
import io.lamina.image.layer.LayerEntry.HardLink;
import io.lamina.image.layer.LayerEntry.Ignored;
import io.lamina.image.layer.LayerEntry.OpaqueMarker;
import io.lamina.image.layer.LayerEntry.RegularFile;
import io.lamina.image.layer.LayerEntry.Symlink;
import io.lamina.image.layer.LayerEntry.Whiteout;
import io.lamina.image.layer.TarBytes.Header;
import java.util.Arrays;
import java.util.Base64;
import java.util.List;
import org.junit.jupiter.api.Test;

class TarDialectsTest {
  @Test
  void readsEveryTypeOfEntry() {
    byte[] tar =
        new TarBytes()
            .add(new Header("./", '5', 0).mode(0755), new byte[0])
            .add(new Header("./bin/", '5', 0).mode(04755), new byte[0])
            .file("./bin/a", latin1("hello"))
            .add(new Header("/bin/b", '1', 0).link("./bin/a"), new byte[0])
            .add(new Header("bin//c", '2', 0).link("/../etc/x"), new byte[0])
            .add(new Header("dev/n", '3', 0).octal(329, 8, 1).octal(337, 8, 3), new byte[0])
            .add(new Header("dev/d", '4', 0).octal(329, 8, 8).octal(337, 8, 1025), new byte[0])
            .entry("run/p", '6')
            .end();

    List<Read> all = Blobs.readAll(tar);

    assertThat(all)
        .extracting(Read::toString)
        .containsExactly(
            "Directory .",
            "Directory bin",
            "RegularFile bin/a",
            "HardLink bin/b",
            "Symlink bin/c",
            "Device dev/n",
            "Device dev/d",
            "Fifo run/p");
    assertThat(((Directory) all.get(1).entry()).attributes().permissions()).isEqualTo(04755);
    assertThat(all.get(2).content()).isEqualTo(latin1("hello"));
    assertThat(((HardLink) all.get(3).entry()).target().toString()).isEqualTo("bin/a");
    assertThat(((Symlink) all.get(4).entry()).target()).isEqualTo(latin1("/../etc/x"));
    Device disk = (Device) all.get(6).entry();
    assertThat(disk.kind()).isEqualTo(Device.Kind.BLOCK);
    assertThat(disk.minor()).isEqualTo(1025);
    assertThat(all.get(7).entry()).isInstanceOf(Fifo.class);
  }

  @Test
  void joinsThePrefixOfPosixNamesAndLeavesItOutOfGnuOnes() {
    Header posix = new Header("leaf", '0', 0).text(345, 155, latin1("some/dir"));
    Header gnu = new Header("leaf", '0', 0).magic("ustar  \0").text(345, 12, latin1("00000000001"));
    Header v7 = new Header("old", '\0', 3).text(257, 255, new byte[255]);

    List<Read> all =
        Blobs.readAll(
            new TarBytes()
                .add(posix, new byte[0])
                .add(gnu, new byte[0])
                .add(v7, latin1("abc"))
                .add(new Header("olddir/", '\0', 0).text(257, 255, new byte[255]), new byte[0])
                .end());

    assertThat(all)
        .extracting(Read::toString)
        .containsExactly(
            "RegularFile some/dir/leaf", "RegularFile leaf", "RegularFile old", "Directory olddir");
    assertThat(all.get(2).content()).isEqualTo(latin1("abc"));
  }

  @Test
  void keepsNamesAndTargetsThatAreNotUtf8() {
    byte[] name = latin1("d/\u00e9\u00ff\u0080");
    byte[] tar =
        new TarBytes()
            .add(new Header("d/\u00e9\u00ff\u0080", '0', 0), new byte[0])
            .pax('x', latin1("path"), name, latin1("linkpath"), latin1("t\u00fe"))
            .entry("x", '2')
            .add(new Header("././@LongLink", 'L', name.length + 1), Arrays.copyOf(name, 6))
            .entry("short", '6')
            .end();

    List<Read> all = Blobs.readAll(tar);

    assertThat(all)
        .hasSize(3)
        .allSatisfy(r -> assertThat(r.entry().path().bytes()).isEqualTo(name));
    assertThat(((Symlink) all.get(1).entry()).target()).isEqualTo(latin1("t\u00fe"));
  }

  @Test
  void readsPaxNumbersTimesAndRawAttributes() {
    byte[] capability = {1, 0, 0, 2, (byte) 0x80, 4, 0, 0, '\n', (byte) 0xff, '=', 0};
    byte[] tar =
        new TarBytes()
            .pax(
                'x',
                latin1("uid"),
                latin1("4294967294"),
                latin1("gid"),
                latin1("3000000000"),
                latin1("mtime"),
                latin1("-1.25"),
                latin1("size"),
                latin1("4"),
                latin1("SCHILY.xattr.security.capability"),
                capability,
                latin1("LIBARCHIVE.xattr.user.a%3Db"),
                latin1(Base64.getEncoder().withoutPadding().encodeToString(latin1("v1"))),
                latin1("LIBARCHIVE.xattr.security.capability"),
                latin1("AAAA"))
            .add(new Header("f", '0', 0), latin1("data"))
            .pax("mtime", "1700000000.1234567899")
            .entry("g", '6')
            .end();

    List<Read> all = Blobs.readAll(tar);

    RegularFile f = (RegularFile) all.get(0).entry();
    assertThat(all.get(0).content()).isEqualTo(latin1("data"));
    assertThat(f.attributes().uid()).isEqualTo(4294967294L);
    assertThat(f.attributes().gid()).isEqualTo(3000000000L);
    assertThat(f.attributes().mtimeSeconds()).isEqualTo(-2);
    assertThat(f.attributes().mtimeNanos()).isEqualTo(750_000_000);
    assertThat(f.attributes().xattrs()).containsOnlyKeys("security.capability", "user.a=b");
    assertThat(f.attributes().xattrs().get("security.capability")).isEqualTo(capability);
    assertThat(f.attributes().xattrs().get("user.a=b")).isEqualTo(latin1("v1"));
    Fifo g = (Fifo) all.get(1).entry();
    assertThat(g.attributes().mtimeNanos()).isEqualTo(123_456_789);
    assertThat(g.attributes().xattrs()).isEmpty();
  }

  @Test
  void readsNumbersInBase256() {
    byte[] uid = {(byte) 0x80, 0, 0, 0, (byte) 0xee, 0, 0, 1};
    byte[] mtime = new byte[12];
    Arrays.fill(mtime, (byte) 0xff);
    mtime[11] = (byte) 0xfe;
    byte[] size = new byte[12];
    size[0] = (byte) 0x80;
    size[11] = 5;
    Header header =
        new Header("f", '0', 0).text(108, 8, uid).text(136, 12, mtime).text(124, 12, size);

    List<Read> all = Blobs.readAll(new TarBytes().add(header, latin1("12345")).end());

    RegularFile f = (RegularFile) all.get(0).entry();
    assertThat(f.attributes().uid()).isEqualTo(0xee000001L);
    assertThat(f.attributes().mtimeSeconds()).isEqualTo(-2);
    assertThat(all.get(0).content()).isEqualTo(latin1("12345"));
  }

  @Test
  void ignoresGlobalPaxHeadersAsContainerEnginesDo() {
    byte[] tar =
        new TarBytes()
            .pax('g', latin1("path"), latin1("everything"), latin1("comment"), latin1("c0ffee"))
            .file("f", latin1("x"))
            .end();

    assertThat(Blobs.readAll(tar)).extracting(Read::toString).containsExactly("RegularFile f");
  }

  @Test
  void takesNamesFromGnuLongHeaders() {
    String name = "d/" + "n".repeat(200);
    String target = "t".repeat(300);
    byte[] tar =
        new TarBytes()
            .add(new Header("././@LongLink", 'K', 301), latin1(target + "\0"))
            .add(new Header("././@LongLink", 'L', 203), latin1(name + "\0"))
            .entry("cut", '2')
            .end();

    Read link = Blobs.readAll(tar).getFirst();

    assertThat(link.entry().path().toString()).isEqualTo(name);
    assertThat(((Symlink) link.entry()).target()).isEqualTo(latin1(target));
  }

  @Test
  void fillsTheHolesOfSparseFilesOfAllKinds() {
    byte[] expected = new byte[4000];
    Arrays.fill(expected, 1000, 1600, (byte) 'a');
    Arrays.fill(expected, 3000, 3100, (byte) 'b');
    byte[] stored = new byte[700];
    Arrays.fill(stored, 0, 600, (byte) 'a');
    Arrays.fill(stored, 600, 700, (byte) 'b');
    Header old =
        new Header("old", 'S', 700)
            .magic("ustar  \0")
            .octal(386, 12, 1000)
            .octal(398, 12, 600)
            .octal(410, 12, 3000)
            .octal(422, 12, 100)
            .octal(434, 12, 4000)
            .octal(446, 12, 0)
            .octal(483, 12, 4000);
    byte[] map = Arrays.copyOf(latin1("3\n1000\n600\n3000\n100\n4000\n0\n"), 512);
    byte[] withMap = Arrays.copyOf(map, 512 + 700);
    System.arraycopy(stored, 0, withMap, 512, 700);
    byte[] tar =
        new TarBytes()
            .add(old, stored)
            .pax(
                "GNU.sparse.size",
                "4000",
                "GNU.sparse.numblocks",
                "2",
                "GNU.sparse.offset",
                "1000",
                "GNU.sparse.numbytes",
                "600",
                "GNU.sparse.offset",
                "3000",
                "GNU.sparse.numbytes",
                "100")
            .file("v00", stored)
            .pax(
                "GNU.sparse.size",
                "4000",
                "GNU.sparse.numblocks",
                "2",
                "GNU.sparse.name",
                "v01",
                "GNU.sparse.map",
                "1000,600,3000,100")
            .file("GNUSparseFile.1/v01", stored)
            .pax(
                "GNU.sparse.major",
                "1",
                "GNU.sparse.minor",
                "0",
                "GNU.sparse.name",
                "v10",
                "GNU.sparse.realsize",
                "4000")
            .file("GNUSparseFile.1/v10", withMap)
            .file("after", latin1("x"))
            .end();

    List<Read> all = Blobs.readAll(tar);

    assertThat(all)
        .extracting(r -> r.entry().path().toString())
        .containsExactly("old", "v00", "v01", "v10", "after");
    assertThat(all.subList(0, 4))
        .allSatisfy(
            r -> {
              assertThat(((RegularFile) r.entry()).sizeBytes()).isEqualTo(4000);
              assertThat(r.content()).isEqualTo(expected);
            });
  }

  @Test
  void continuesOldSparseMapsInFurtherBlocks() {
    Header header = new Header("s", 'S', 30).magic("ustar  \0").octal(483, 12, 10_000);
    byte[] expected = new byte[10_000];
    byte[] more = new byte[1024];
    TarBytes.Header scratch = new Header("", '0', 0);
    for (int i = 0; i < 30; i++) {
      expected[i * 300] = (byte) (i + 1);
      scratch.octal(0, 12, i * 300L).octal(12, 12, 1);
      int at = i < 4 ? 386 + 24 * i : (i - 4) / 21 * 512 + (i - 4) % 21 * 24;
      System.arraycopy(scratch.block, 0, i < 4 ? header.block : more, at, 24);
    }
    header.block[482] = 1;
    more[504] = 1;
    byte[] stored = new byte[30];
    for (int i = 0; i < 30; i++) {
      stored[i] = (byte) (i + 1);
    }

    byte[] tar = new TarBytes().add(header, new byte[0]).raw(more).data(stored).end();

    assertThat(Blobs.readAll(tar).getFirst().content()).isEqualTo(expected);
  }

  @Test
  void tellsWhiteoutsFromMetadataOfAufs() {
    byte[] tar =
        new TarBytes()
            .file("a/.wh.gone", new byte[0])
            .file("a/.wh..wh..opq", new byte[0])
            .file("a/.wh..wh.aufs", latin1("x"))
            .entry(".wh..wh.plnk/", '5')
            .file(".wh..wh.plnk/1.2", new byte[0])
            .file("a/.wh.b/c", new byte[0])
            .file("a/.whatever", new byte[0])
            .end();

    List<Read> all = Blobs.readAll(tar);

    assertThat(all)
        .extracting(Read::toString)
        .containsExactly(
            "Whiteout a/gone",
            "OpaqueMarker a",
            "Ignored a/.wh..wh.aufs",
            "Ignored .wh..wh.plnk",
            "Ignored .wh..wh.plnk/1.2",
            "Ignored a/.wh.b/c",
            "RegularFile a/.whatever");
    assertThat(all.get(0).entry()).isInstanceOf(Whiteout.class);
    assertThat(all.get(1).entry()).isInstanceOf(OpaqueMarker.class);
  }

  @Test
  void passesOverTypesThatAreNotFiles() {
    byte[] tar =
        new TarBytes()
            .add(new Header("volume", 'V', 0), new byte[0])
            .add(new Header("list", 'D', 600), new byte[600])
            .file("f", latin1("x"))
            .end();

    List<Read> all = Blobs.readAll(tar);

    assertThat(all)
        .extracting(Read::toString)
        .containsExactly("Ignored volume", "Ignored list", "RegularFile f");
    assertThat(((Ignored) all.get(0).entry()).reason()).contains("tar type 'V'");
  }

  @Test
  void takesSizesOfLinksAsMeaningless() {
    byte[] tar =
        new TarBytes()
            .file("a", latin1("abc"))
            .add(new Header("b", '1', 3).link("a"), new byte[0])
            .add(new Header("d", '5', 4096), new byte[0])
            .file("c", latin1("x"))
            .end();

    assertThat(Blobs.readAll(tar))
        .extracting(Read::toString)
        .containsExactly("RegularFile a", "HardLink b", "Directory d", "RegularFile c");
  }
}
