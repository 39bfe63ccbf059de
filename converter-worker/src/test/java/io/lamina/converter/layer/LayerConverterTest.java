package io.lamina.converter.layer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.lamina.converter.layer.ConversionReport.Decision;
import io.lamina.converter.layer.ConversionReport.Note;
import io.lamina.converter.layer.Layers.Result;
import io.lamina.cvmfs.catalog.CatalogEntry;
import io.lamina.image.Descriptor;
import io.lamina.image.ImageException;
import io.lamina.image.LayerDescriptor;
import io.lamina.image.layer.LayerLimits;
import java.io.ByteArrayInputStream;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@Timeout(60)
class LayerConverterTest {
  private static byte[] bytes(String text) {
    return text.getBytes(StandardCharsets.UTF_8);
  }

  @Test
  void keepsTypesOwnersModesAndTimes() {
    Result result =
        Layers.converted(
            new Layers()
                .dir(
                    "./",
                    e -> {
                      e.setMode(0711);
                      e.setUserId(7);
                    })
                .dir("tmp/", e -> e.setMode(01777))
                .file(
                    "bin/su",
                    bytes("#!su"),
                    e -> {
                      e.setMode(06755);
                      e.setUserId(3_000_000_000L);
                      e.setGroupId(42);
                      e.addPaxHeader("mtime", "1600000000.5");
                    })
                .file("empty", "")
                .symlink("etc/mtab", "../../proc/mounts")
                .device("dev/null", '3', 1, 3)
                .device("dev/sda", '4', 8, 300)
                .fifo("run/pipe")
                .tar());

    assertThat(result.at("").mode()).isEqualTo(CatalogEntry.DIRECTORY | 0711);
    assertThat(result.at("").uid()).isEqualTo(7);
    assertThat(result.at("tmp").mode()).isEqualTo(CatalogEntry.DIRECTORY | 01777);
    CatalogEntry su = result.at("bin/su");
    assertThat(su.mode()).isEqualTo(CatalogEntry.REGULAR | 06755);
    assertThat(su.uid()).isEqualTo(3_000_000_000L);
    assertThat(su.gid()).isEqualTo(42);
    assertThat(su.mtimeSeconds()).isEqualTo(1_600_000_000);
    assertThat(su.mtimeNanos()).isEqualTo(500_000_000);
    assertThat(result.content("bin/su")).isEqualTo(bytes("#!su"));
    assertThat(result.at("empty").sizeBytes()).isZero();
    assertThat(result.content("empty")).isEmpty();
    CatalogEntry mtab = result.at("etc/mtab");
    assertThat(mtab.mode()).isEqualTo(CatalogEntry.SYMLINK | 0777);
    assertThat(mtab.symlinkTarget()).isEqualTo(bytes("../../proc/mounts"));
    assertThat(result.at("dev/null").mode()).isEqualTo(CatalogEntry.CHARACTER_DEVICE | 0644);
    assertThat(result.at("dev/null").sizeBytes()).isEqualTo(259);
    assertThat(result.at("dev/sda").deviceMinor()).isEqualTo(300);
    assertThat(result.at("run/pipe").mode()).isEqualTo(CatalogEntry.FIFO | 0644);
    assertThat(result.layer().figures().files()).isEqualTo(result.entries().size());
    assertThat(result.sink().flushed).isTrue();
  }

  @Test
  void makesMissingParentsAndMarksThem() {
    Result result = Layers.converted(new Layers().file("a/b/c", "x").tar());

    CatalogEntry parent = result.at("a/b");
    assertThat(parent.mode()).isEqualTo(CatalogEntry.DIRECTORY | 0755);
    assertThat(parent.mtimeSeconds()).isEqualTo(Layers.TIME);
    assertThat(Layers.xattrs(parent)).containsOnlyKeys(Markers.IMPLICIT);
    assertThat(Layers.xattrs(result.at(""))).containsOnlyKeys(Markers.IMPLICIT);
    assertThat(result.count(Decision.PARENT_MADE)).isEqualTo(2);
  }

  @Test
  void forgetsThatAParentWasMadeWhenItComesLater() {
    Result result =
        Layers.converted(new Layers().file("a/b", "x").dir("a", e -> e.setMode(0700)).tar());

    assertThat(result.at("a").mode()).isEqualTo(CatalogEntry.DIRECTORY | 0700);
    assertThat(Layers.xattrs(result.at("a"))).isEmpty();
    assertThat(result.content("a/b")).isEqualTo(bytes("x"));
  }

  @Test
  void turnsWhiteoutsIntoDevicesAndOpaqueMarkersIntoAttributes() {
    Result result =
        Layers.converted(
            new Layers()
                .dir("d")
                .file("d/.wh.gone", "")
                .dir("opaque")
                .file("opaque/.wh..wh..opq", "")
                .file("opaque/new", "x")
                .file("other/.wh..wh..opq", "")
                .file("d/.wh..wh.plnk", "")
                .tar());

    CatalogEntry gone = result.at("d/gone");
    assertThat(gone.mode()).isEqualTo(CatalogEntry.CHARACTER_DEVICE);
    assertThat(gone.sizeBytes()).isZero();
    assertThat(Layers.xattrs(result.at("opaque"))).containsEntry("trusted.overlay.opaque", "y");
    assertThat(Layers.xattrs(result.at("other"))).containsEntry("trusted.overlay.opaque", "y");
    assertThat(result.entries()).doesNotContainKey("d/.wh.gone");
    assertThat(result.count(Decision.IGNORED)).isEqualTo(1);
  }

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void letsAnEntryWinOverAWhiteoutOfItsName(boolean whiteoutFirst) {
    Layers layer = new Layers();
    if (whiteoutFirst) {
      layer.file(".wh.f", "").file(".wh.d", "");
    }
    layer.file("f", "new").dir("d").file("d/inside", "x");
    if (!whiteoutFirst) {
      layer.file(".wh.f", "").file(".wh.d", "");
    }
    Result result = Layers.converted(layer.tar());

    assertThat(result.content("f")).isEqualTo(bytes("new"));
    assertThat(result.at("d").isDirectory()).isTrue();
    assertThat(Layers.xattrs(result.at("d"))).containsEntry("trusted.overlay.opaque", "y");
    assertThat(result.content("d/inside")).isEqualTo(bytes("x"));
  }

  @Test
  void takesTheLastOfSeveralEntriesOfOnePath() {
    Result result =
        Layers.converted(
            new Layers()
                .file("f", "old")
                .file("f", "new")
                .dir("d", e -> e.setMode(0700))
                .file("d/x", "kept")
                .dir("d", e -> e.setMode(0711))
                .file("e/y", "lost")
                .symlink("e", "/elsewhere")
                .symlink("s", "/a")
                .dir("s")
                .file("s/z", "z")
                .tar());

    assertThat(result.content("f")).isEqualTo(bytes("new"));
    assertThat(result.at("d").mode()).isEqualTo(CatalogEntry.DIRECTORY | 0711);
    assertThat(result.content("d/x")).isEqualTo(bytes("kept"));
    assertThat(result.at("e").isSymlink()).isTrue();
    assertThat(result.entries()).doesNotContainKey("e/y");
    assertThat(result.content("s/z")).isEqualTo(bytes("z"));
    assertThat(result.count(Decision.REPLACED)).isEqualTo(3);
  }

  @Test
  void neverGoesThroughALinkOrFileOfTheLayer() {
    for (byte[] tar :
        List.of(
            new Layers().symlink("lib", "/etc").file("lib/passwd", "x").tar(),
            new Layers().file("lib", "y").file("lib/passwd", "x").tar(),
            new Layers().symlink("lib", "..").file("lib/.wh.passwd", "").tar(),
            new Layers().symlink("lib", "usr").file("lib/.wh..wh..opq", "").tar())) {
      assertThatThrownBy(() -> Layers.converted(tar))
          .isInstanceOf(ImageException.Rejected.class)
          .hasMessageContaining("needs the directory 'lib'");
    }
  }

  @Test
  void groupsHardLinksWithinADirectoryAndSharesObjectsAcross() {
    Result result =
        Layers.converted(
            new Layers()
                .file("bin/a", bytes("same"), e -> e.setMode(0755))
                .link("bin/b", "bin/a")
                .link("sbin/c", "./bin/b")
                .file("bin/d", "other")
                .tar());

    assertThat(result.at("bin/a")).isEqualTo(result.at("bin/b"));
    assertThat(result.at("sbin/c").hash()).isEqualTo(result.at("bin/a").hash());
    assertThat(result.at("sbin/c").mode()).isEqualTo(CatalogEntry.REGULAR | 0755);
    assertThat(result.count(Decision.LINK_ACROSS_DIRECTORIES)).isEqualTo(1);
    assertThat(result.layer().graft().total().regular()).isEqualTo(5);
  }

  @Test
  void joinsLinksWithTargetsThatComeLaterAndKeepsReplacedTargets() {
    Result result =
        Layers.converted(
            new Layers()
                .link("early", "late")
                .link("earlier", "early")
                .file("late", "content")
                .file("kept", "first")
                .link("name", "kept")
                .file("kept", "second")
                .tar());

    assertThat(result.content("early")).isEqualTo(bytes("content"));
    assertThat(result.content("earlier")).isEqualTo(bytes("content"));
    assertThat(result.content("name")).isEqualTo(bytes("first"));
    assertThat(result.content("kept")).isEqualTo(bytes("second"));
  }

  @Test
  void pointsIntoLowerLayersWhereAHardLinksFileIsMissing() {
    Result result =
        Layers.converted(new Layers().link("usr/bin/vi", "usr/bin/vim").link("x", "y/z").tar());

    CatalogEntry vi = result.at("usr/bin/vi");
    assertThat(vi.isSymlink()).isTrue();
    assertThat(vi.symlinkTarget()).isEqualTo(bytes("../../usr/bin/vim"));
    assertThat(Layers.xattrs(vi)).containsEntry(Markers.HARD_LINK, "usr/bin/vim");
    assertThat(result.at("x").symlinkTarget()).isEqualTo(bytes("y/z"));
    assertThat(result.layer().report().notes())
        .contains(new Note(Decision.LINK_INTO_LOWER_LAYER, "/usr/bin/vi", "links to usr/bin/vim"));
  }

  @Test
  void leavesOutHardLinksThatCannotBe() {
    Result result =
        Layers.converted(
            new Layers().dir("d").link("self", "self").link("dir", "d").link("r", "/").tar());

    assertThat(result.entries()).containsOnlyKeys("", "d");
    assertThat(result.count(Decision.LINK_IMPOSSIBLE)).isEqualTo(3);
  }

  @Test
  void survivesRingsOfHardLinks() {
    Result result = Layers.converted(new Layers().link("a", "b").link("b", "a").tar());

    assertThat(result.at("a").isSymlink()).isTrue();
    assertThat(result.at("b").isSymlink()).isTrue();
  }

  @Test
  void dropsAttributesThatCvmfsCannotHoldOrThatDeceiveOverlayfs() {
    Result result =
        Layers.converted(
            new Layers()
                .file(
                    "f",
                    bytes("x"),
                    e -> {
                      e.addPaxHeader("SCHILY.xattr.user.kept", "v");
                      e.addPaxHeader("SCHILY.xattr.user.long", "v".repeat(256));
                      e.addPaxHeader("SCHILY.xattr.user." + "n".repeat(251), "v");
                      e.addPaxHeader("SCHILY.xattr.trusted.overlay.redirect", "/etc");
                      e.addPaxHeader("SCHILY.xattr.user.overlay.opaque", "y");
                      e.addPaxHeader("SCHILY.xattr.trusted.lamina.hardlink", "etc/shadow");
                    })
                .tar());

    assertThat(Layers.xattrs(result.at("f"))).containsOnlyKeys("user.kept");
    assertThat(result.count(Decision.ATTRIBUTE_DROPPED)).isEqualTo(5);
  }

  @Test
  void reportsWhatCvmfsWouldChangeOrHide() {
    Result result =
        Layers.converted(
            new Layers()
                .symlink("v", "/opt/$(HOME)/x")
                .symlink("w", "/opt/$x/$(")
                .device("hidden", '3', 0, 0)
                .file("d/.cvmfscatalog", "mine")
                .file("d/.cvmfsfine", "x")
                .tar());

    assertThat(result.at("v").symlinkTarget()).isEqualTo(bytes("/opt/$(HOME)/x"));
    assertThat(result.count(Decision.TARGET_WITH_VARIABLE)).isEqualTo(1);
    assertThat(result.count(Decision.WHITEOUT_DEVICE)).isEqualTo(1);
    assertThat(result.count(Decision.RESERVED_NAME)).isEqualTo(1);
    assertThat(result.entries()).containsKey("d/.cvmfsfine").doesNotContainKey("d/.cvmfscatalog");
  }

  @Test
  void keepsNamesThatAreNotUtf8() {
    String name = "d/\u00e9\u00ff";

    Result result = Layers.converted(new Layers().file(name, "latin").tar());

    assertThat(result.content(name)).isEqualTo(bytes("latin"));
  }

  @Test
  void givesTheSameBytesWithAnyNumberOfThreads() {
    Random random = new Random(11);
    Layers layer = new Layers();
    List<String> names = new ArrayList<>();
    for (int i = 0; i < 400; i++) {
      String name = "d" + random.nextInt(20) + "/f" + i;
      byte[] content = new byte[random.nextInt(i % 40 == 0 ? 3_000_000 : 20_000)];
      random.nextBytes(content);
      for (int j = 0; j < content.length; j++) {
        content[j] &= i % 3 == 0 ? (byte) 0xff : (byte) 0x0f;
      }
      layer.file(name, content, e -> {});
      if (i % 7 == 0 && !names.isEmpty()) {
        layer.link("l" + i, names.get(random.nextInt(names.size())));
      }
      names.add(name);
    }
    byte[] tar = layer.tar();

    MemorySink first = new MemorySink();
    ConvertedLayer expected = Layers.convert(tar, first, 1);
    for (int threads = 2; threads < 6; threads++) {
      MemorySink sink = new MemorySink();
      ConvertedLayer layerAgain = Layers.convert(tar, sink, threads);

      assertThat(layerAgain.graft()).isEqualTo(expected.graft());
      assertThat(sink.all().keySet()).isEqualTo(first.all().keySet());
      assertThat(layerAgain.report()).isEqualTo(expected.report());
    }
    assertThat(expected.figures().newObjects()).isEqualTo(first.count());
  }

  @Test
  void storesNoCatalogForALayerThatIsNotWhatWasPromised() {
    byte[] tar = new Layers().file("f", "x").tar();
    LayerDescriptor wrongDiffId =
        new LayerDescriptor(
            new Descriptor("tar", Layers.sha256(tar), tar.length), Layers.sha256(bytes("other")));
    LayerDescriptor longer =
        new LayerDescriptor(
            new Descriptor("tar", Layers.sha256(tar), tar.length + 1), Layers.sha256(tar));

    assertNoCatalog(wrongDiffId, tar, ImageException.Rejected.class);
    assertNoCatalog(longer, tar, ImageException.Corrupt.class);
  }

  private static void assertNoCatalog(
      LayerDescriptor layer, byte[] blob, Class<? extends Exception> failure) {
    MemorySink sink = new MemorySink();
    try (ObjectPipeline pipeline = new ObjectPipeline(Layers.settings(2))) {
      LayerConverter converter = new LayerConverter(pipeline, LayerLimits.DEFAULT);
      assertThatThrownBy(
              () ->
                  converter.convert(
                      new LayerWork(layer, Layers.MOUNT, Layers.TIME),
                      new ByteArrayInputStream(blob),
                      sink,
                      read -> {}))
          .isInstanceOf(failure);
    }
    assertThat(sink.all().keySet()).noneMatch(path -> path.endsWith("C"));
    assertThat(sink.flushed).isFalse();
  }

  @Test
  void tellsItsProgressAndStopsWhenInterrupted() throws Exception {
    byte[] noise = new byte[16 << 20];
    new Random(5).nextBytes(noise);
    byte[] tar = new Layers().file("f", noise, e -> {}).tar();
    LayerDescriptor layer =
        new LayerDescriptor(
            new Descriptor("tar", Layers.sha256(tar), tar.length), Layers.sha256(tar));
    List<Long> seen = new ArrayList<>();
    try (ObjectPipeline pipeline = new ObjectPipeline(Layers.settings(2))) {
      LayerConverter converter = new LayerConverter(pipeline, LayerLimits.DEFAULT);
      LayerWork work = new LayerWork(layer, Layers.MOUNT, Layers.TIME);
      converter.convert(work, new ByteArrayInputStream(tar), new MemorySink(), seen::add);

      assertThat(seen).isSorted().hasSizeGreaterThan(2);

      InputStream blob = new ByteArrayInputStream(tar);
      MemorySink sink = new MemorySink();
      assertThatThrownBy(
              () -> converter.convert(work, blob, sink, read -> Thread.currentThread().interrupt()))
          .isInstanceOf(InterruptedException.class);
      assertThat(Thread.currentThread().isInterrupted()).isFalse();
      assertThat(sink.all().keySet()).noneMatch(path -> path.endsWith("C"));
    }
  }

  @Test
  void boundsTheNotesOfItsReportButCountsAll() {
    Layers layer = new Layers();
    for (int i = 0; i < 250; i++) {
      layer.link("l" + i, "missing");
    }

    Result result = Layers.converted(layer.tar());

    assertThat(result.count(Decision.LINK_INTO_LOWER_LAYER)).isEqualTo(250);
    assertThat(result.layer().report().notes()).hasSize(ConversionReport.MAX_NOTES);
  }

  @Test
  void cutsLargeFilesIntoChunks() {
    byte[] content = new byte[5_000_000];
    new Random(3).nextBytes(content);
    byte[] text = new byte[5_000_000];
    Arrays.fill(text, (byte) 'x');

    Result result =
        Layers.converted(
            new Layers().file("noise", content, e -> {}).file("text", text, e -> {}).tar());

    assertThat(result.at("noise").chunks()).hasSizeGreaterThan(4);
    assertThat(result.at("noise").hash()).isNull();
    assertThat(result.at("text").chunks()).hasSize(5);
    assertThat(result.layer().graft().total().chunked()).isEqualTo(2);
    assertThat(result.layer().graft().total().chunkedSize()).isEqualTo(10_000_000);
  }
}
