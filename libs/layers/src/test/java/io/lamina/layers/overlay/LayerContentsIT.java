package io.lamina.layers.overlay;

import static io.lamina.layers.archive.RawTar.latin1;
import static io.lamina.layers.overlay.StorageRig.id;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.lamina.image.testing.TarBuilder;
import io.lamina.layers.IdMaps;
import io.lamina.layers.LayerInfo;
import io.lamina.layers.LayersException;
import io.lamina.layers.archive.RawTar;
import io.lamina.linux.Directory;
import io.lamina.linux.FileStatus;
import io.lamina.linux.FileType;
import io.lamina.linux.Mounts;
import io.lamina.linux.OpenFile;
import io.lamina.linux.RawName;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.PipedInputStream;
import java.io.PipedOutputStream;
import java.io.SequenceInputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.time.Instant;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class LayerContentsIT {
  private static final byte[] CAPABILITY = {
    1, 0, 0, 2, (byte) 0x80, (byte) 0xff, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0
  };

  @TempDir Path folder;
  private StorageRig rig;

  @BeforeEach
  void open() {
    rig = new StorageRig(folder);
  }

  @AfterEach
  void close() {
    rig.close();
  }

  private static TarBuilder tar() {
    return new TarBuilder();
  }

  private Path diffOf(String layer) {
    return rig.home.resolve("layers").resolve(layer).resolve("diff");
  }

  private FileStatus status(String layer, String path) {
    int slash = path.lastIndexOf('/');
    try (Directory directory =
        Directory.open(diffOf(layer).resolve(path.substring(0, Math.max(slash, 0))))) {
      return directory.status(latin1(path.substring(slash + 1))).orElseThrow();
    }
  }

  @Test
  void keepsAllThatAnArchiveTells() throws Exception {
    byte[] archive =
        new RawTar()
            .pax('x', "mtime", latin1("1234567890.123456789"))
            .directory("d/")
            .pax('x', "uid", latin1("4000000000"))
            .file("d/\u00ff\u00fe", "raw")
            .pax('x', "SCHILY.xattr.security.capability", CAPABILITY)
            .file("d/ping", "x")
            .hardLink("d/ping2", "d/ping")
            .symlink("link", "/etc/../nowhere")
            .hardLink("link2", "link")
            .fifo("pipe")
            .entry("dev", '3', "", new byte[0])
            .pax('x', "path", latin1("deep/" + "n".repeat(255)))
            .file("short", "long name")
            .end();

    long size = rig.layer("a", null, archive);

    assertThat(size).isEqualTo(3 + 1 + 15 + 9).isEqualTo(rig.storage().diffSize(id("a"), null));
    assertThat(status("a", "d").mtimeSeconds()).isEqualTo(1234567890);
    assertThat(status("a", "d").mtimeNanos()).isEqualTo(123456789);
    assertThat(status("a", "d/\u00ff\u00fe").uid()).isEqualTo(4_000_000_000L);
    assertThat(status("a", "d/ping").links()).isEqualTo(2);
    assertThat(status("a", "link").links()).isEqualTo(2);
    assertThat(status("a", "pipe").type()).isEqualTo(FileType.FIFO);
    assertThat(diffOf("a").resolve("deep/" + "n".repeat(255))).hasContent("long name");
    try (Directory d = Directory.open(diffOf("a").resolve("d"))) {
      assertThat(d.xattr(latin1("ping2"), "security.capability")).contains(CAPABILITY);
    }
  }

  @Test
  void packsTheSameBytesThatItUnpacks() throws Exception {
    byte[] caps = CAPABILITY.clone();
    byte[] archive =
        new RawTar()
            .directory("d/")
            .pax('x', "SCHILY.xattr.user.note", new byte[] {0, 1, (byte) 0xfe})
            .file("d/a", "content")
            .hardLink("d/b", "d/a")
            .file("d/.wh.gone", "")
            .directory("o/")
            .file("o/.wh..wh..opq", "")
            .pax('x', "SCHILY.xattr.security.capability", caps)
            .file("o/\u00e4", "x".repeat(5000))
            .symlink("s", "t")
            .fifo("z")
            .end();
    rig.layer("a", null, archive);

    byte[] first = rig.diff("a", null);
    long size = rig.layer("b", null, first);

    assertThat(rig.diff("b", null)).isEqualTo(first);
    assertThat(rig.diff("a", null)).isEqualTo(first);
    assertThat(size).isEqualTo(rig.storage().diffSize(id("a"), null)).isEqualTo(7 + 5000 + 1);
    assertThat(status("b", "d/gone").isWhiteout()).isTrue();
    assertThat(rig.changes("b", null))
        .containsExactly("A /d", "A /d/a", "A /d/b", "A /o", "A /o/\ufffd", "A /s", "A /z");
  }

  static List<RawTar> escapes() {
    String up = "../".repeat(20);
    return List.of(
        new RawTar().file("../outside", "x"),
        new RawTar().file("a/../../outside", "x"),
        new RawTar().symlink("l", up).file("l/outside", "x"),
        new RawTar().symlink("l", "/").file("l/outside", "x"),
        new RawTar().symlink("l", "..").file("l/outside", "x"),
        new RawTar().directory("d/").symlink("d/l", up + "tmp").file("d/l/outside", "x"),
        new RawTar().symlink("a", "b").symlink("b", up).file("a/outside", "x"),
        new RawTar().symlink("l", "/proc/self/root").file("l/outside", "x"),
        new RawTar().symlink("l", "/proc/1/root").directory("l/outside/"),
        new RawTar().hardLink("h", "/etc/passwd").file("h", "x"),
        new RawTar().hardLink("h", up + "etc/passwd"),
        new RawTar().symlink("l", "/etc").hardLink("h", "l/passwd").file("h", "x"),
        new RawTar().symlink("l", "/etc/passwd").hardLink("h", "l").file("h", "x"),
        new RawTar().symlink("outside", up + "outside").file("outside", "x"),
        new RawTar().symlink("l", up).file("l/.wh.outside", ""),
        new RawTar().symlink("l", up).file("l/.wh..wh..opq", ""),
        new RawTar().file(".wh...", ""),
        new RawTar().file(".wh..", ""),
        new RawTar().file("d/.wh...", ""),
        new RawTar().file(".wh.", ""),
        new RawTar().fifo("f").file("f", "x"),
        new RawTar().fifo("f").file("f/outside", "x"),
        new RawTar().symlink("l", "l").file("l/x", "x"),
        new RawTar().directory("d/").symlink("d", up).file("d/outside", "x"),
        new RawTar().pax('x', "path", latin1("/../../outside")).file("a", "x"),
        new RawTar().pax('g', "path", latin1("../outside")).file("a", "x"),
        new RawTar().pax('x', "SCHILY.xattr.trusted.overlay.opaque", latin1("y")).directory("d/"),
        new RawTar().pax('x', "SCHILY.xattr.trusted.overlay.redirect", latin1("/")).directory("d/"),
        new RawTar().hardLink("a", "a"),
        new RawTar().file("a", "x").hardLink("a", "a"),
        new RawTar().entry("x", 'Q', "", new byte[0]));
  }

  @ParameterizedTest
  @MethodSource("escapes")
  void neverTouchesAnythingOutside(RawTar hostile) throws Exception {
    Path outside = folder.resolve("outside");
    Files.writeString(outside, "untouched");
    Map<String, String> around = StorageRig.tree(folder.resolve("cvmfs"));
    String passwd = Files.readString(Path.of("/etc/passwd"));
    FileTime time = Files.getLastModifiedTime(Path.of("/etc/passwd"));
    rig.create("a", null);
    try {
      rig.storage().applyDiff(id("a"), null, new ByteArrayInputStream(hostile.end()));
    } catch (LayersException.Rejected e) {
      assertThat(e).hasMessageContaining("'");
      assertThat(rig.storage().find(id("a")))
          .map(LayerInfo::state)
          .contains(LayerInfo.State.FAILED);
    }

    assertThat(outside).hasContent("untouched");
    assertThat(folder.toFile().list()).containsExactlyInAnyOrder("home", "run", "cvmfs", "outside");
    assertThat(rig.home.toFile().list())
        .containsExactlyInAnyOrder("layers", "tmp", "trash", "format.json", "lock");
    assertThat(rig.home.resolve("layers/a").toFile().list())
        .containsExactlyInAnyOrder("diff", "work", "layer.json");
    assertThat(StorageRig.tree(folder.resolve("cvmfs"))).isEqualTo(around);
    assertThat(Path.of("/etc/passwd")).hasContent(passwd);
    assertThat(Files.getLastModifiedTime(Path.of("/etc/passwd"))).isEqualTo(time);
    assertThat(Path.of("/outside")).doesNotExist();
    try (Directory diff = Directory.open(diffOf("a"))) {
      for (Directory.Entry entry : diff.list(100)) {
        assertThat(diff.xattrs(entry.name())).noneMatch(name -> name.contains("overlay.redirect"));
      }
    }
    rig.storage().remove(id("a"));
    rig.storage().cleanup();
    assertThat(rig.home.resolve("layers")).isEmptyDirectory();
    assertThat(rig.home.resolve("trash")).isEmptyDirectory();
  }

  @Test
  void followsLinksOfTheSameLayerWithinIt() {
    rig.layer(
        "a",
        null,
        new RawTar()
            .directory("usr/")
            .directory("usr/lib/")
            .symlink("lib", "usr/lib")
            .symlink("abs", "/usr")
            .symlink("clamped", "../../../usr")
            .file("lib/x", "1")
            .file("abs/y", "2")
            .file("clamped/z", "3")
            .file("/../w", "4")
            .unended());

    assertThat(diffOf("a").resolve("usr/lib/x")).hasContent("1");
    assertThat(diffOf("a").resolve("usr/y")).hasContent("2");
    assertThat(diffOf("a").resolve("usr/z")).hasContent("3");
    assertThat(diffOf("a").resolve("w")).hasContent("4");
  }

  @Test
  void takesTheLastOfSeveralEntriesOfOneName() throws Exception {
    long size =
        rig.layer(
            "a",
            null,
            new RawTar()
                .file("f", "first")
                .file("f", "second!")
                .directory("d/")
                .file("d/x", "gone")
                .symlink("d", "f")
                .symlink("l", "f")
                .directory("l/")
                .file("l/y", "y")
                .file("h1", "12345")
                .hardLink("h2", "h1")
                .file("h1", "1")
                .end());

    assertThat(StorageRig.tree(diffOf("a")))
        .isEqualTo(
            Map.of("f", "second!", "d", "-> f", "l", "dir", "l/y", "y", "h1", "1", "h2", "12345"));
    assertThat(size).isEqualTo(7 + 1 + 1 + 1 + 5).isEqualTo(rig.storage().diffSize(id("a"), null));
  }

  @Test
  void hidesWhatLiesBelowWhateverTheOrderOfMarks() throws Exception {
    rig.layer(
        "base",
        null,
        tar()
            .file("a/old", 0644, "1")
            .file("b/old", 0644, "1")
            .file("c/old", 0644, "1")
            .file("d/old", 0644, "1")
            .file("e/old", 0644, "1")
            .file("f", 0644, "1")
            .file("g", 0644, "1")
            .symlink("s", "f"));
    rig.layer(
        "top",
        "base",
        new RawTar()
            .file("a/.wh..wh..opq", "")
            .file("a/new", "2")
            .file("b/new", "2")
            .file("b/.wh..wh..opq", "")
            .file(".wh.c", "")
            .file("c/new", "2")
            .directory("d/")
            .file("d/new", "2")
            .file(".wh.d", "")
            .file(".wh.e", "")
            .directory("e/")
            .file(".wh.f", "")
            .file("f", "2")
            .file("g", "2")
            .file(".wh.g", "")
            .file(".wh.s", "")
            .file(".wh..wh.plnk", "")
            .file(".wh..wh.orph/x", "")
            .end());
    rig.create("c", "top");

    assertThat(StorageRig.tree(rig.mount("c")))
        .containsExactlyInAnyOrderEntriesOf(
            Map.ofEntries(
                Map.entry("a", "dir"),
                Map.entry("a/new", "2"),
                Map.entry("b", "dir"),
                Map.entry("b/new", "2"),
                Map.entry("c", "dir"),
                Map.entry("c/new", "2"),
                Map.entry("d", "dir"),
                Map.entry("d/new", "2"),
                Map.entry("e", "dir"),
                Map.entry("f", "2"),
                Map.entry("g", "2")));
  }

  @Test
  void showsNothingBelowALayerWhoseRootIsOpaque() throws Exception {
    rig.layer("base", null, tar().file("old", 0644, "1"));
    rig.layer("top", "base", new RawTar().file(".wh..wh..opq", "").file("new", "2").end());
    rig.create("c", "top");

    assertThat(StorageRig.tree(rig.mount("c"))).isEqualTo(Map.of("new", "2"));
    assertThat(rig.changes("top", "base")).containsExactly("A /new", "D /old");
    rig.unmount("c");
    rig.layer("again", "base", rig.diff("top", "base"));
    rig.create("d", "again");
    assertThat(StorageRig.tree(rig.mount("d"))).isEqualTo(Map.of("new", "2"));
  }

  @Test
  void tellsAndPacksWhatAContainerHasChanged() throws Exception {
    rig.layer(
        "base",
        null,
        tar()
            .file("keep", 0644, "1")
            .file("edit", 0644, "1")
            .file("gone", 0644, "1")
            .file("dir/a", 0644, "1")
            .file("dir/b", 0644, "1")
            .file("replaced/a", 0644, "1")
            .file("replaced/b", 0644, "1")
            .file("fileToDir", 0644, "1")
            .file("dirToFile/x", 0644, "1")
            .file("mode", 0644, "1")
            .file("touched", 0644, "1")
            .directory("chmod", 0755)
            .file("untouched/deep", 0644, "1"));
    rig.create("c-init", "base");
    rig.create("c", "c-init");
    Path root = rig.mount("c");
    Files.writeString(root.resolve("edit"), "22");
    Files.delete(root.resolve("gone"));
    Files.writeString(root.resolve("dir/new"), "2");
    Files.delete(root.resolve("dir/b"));
    delete(root.resolve("replaced"));
    Files.createDirectory(root.resolve("replaced"));
    Files.writeString(root.resolve("replaced/b"), "2");
    Files.delete(root.resolve("fileToDir"));
    Files.createDirectory(root.resolve("fileToDir"));
    Files.writeString(root.resolve("fileToDir/x"), "2");
    delete(root.resolve("dirToFile"));
    Files.writeString(root.resolve("dirToFile"), "2");
    Files.setAttribute(root.resolve("mode"), "unix:mode", 0755);
    FileTime old = Files.getLastModifiedTime(root.resolve("touched"));
    Files.setLastModifiedTime(root.resolve("touched"), FileTime.from(Instant.EPOCH));
    Files.setLastModifiedTime(root.resolve("touched"), old);
    Files.setAttribute(root.resolve("chmod"), "unix:mode", 0700);
    Files.createDirectories(root.resolve("new/sub"));
    try (Directory directory = Directory.open(root)) {
      directory.makeNode(RawName.of("socket"), FileType.SOCKET, 0, 0);
    }

    assertThat(rig.changes("c", "c-init"))
        .containsExactly(
            "M /chmod",
            "M /dir",
            "D /dir/b",
            "A /dir/new",
            "M /dirToFile",
            "M /edit",
            "M /fileToDir",
            "A /fileToDir/x",
            "D /gone",
            "M /mode",
            "A /new",
            "A /new/sub",
            "M /replaced",
            "D /replaced/a",
            "M /replaced/b",
            "A /socket");
    assertThat(rig.storage().diffSize(id("c"), id("c-init"))).isEqualTo(8);

    Map<String, String> wanted = StorageRig.tree(root);
    wanted.remove("socket");
    byte[] archive = rig.diff("c", "c-init");
    assertThat(rig.diff("c", "c-init")).isEqualTo(archive);
    assertThat(rig.layer("committed", "base", archive)).isEqualTo(8);
    rig.create("d", "committed");
    assertThat(StorageRig.tree(rig.mount("d"))).isEqualTo(wanted);
  }

  private static void delete(Path directory) throws IOException {
    try (var all = Files.walk(directory)) {
      for (Path path : all.sorted(Comparator.reverseOrder()).toList()) {
        Files.delete(path);
      }
    }
  }

  @Test
  void packsSeveralLayersAsOne() throws Exception {
    rig.layer(
        "base", null, tar().file("a/x", 0644, "0").file("b", 0644, "0").file("c/y", 0644, "0"));
    rig.layer("l1", "base", tar().whiteout("b").file("a/one", 0644, "1").file("t", 0644, "1"));
    rig.layer("l2", "l1", tar().file("b", 0644, "2").whiteout("t").whiteout("c"));
    rig.layer("l3", "l2", tar().file("c/z", 0644, "3").file("a/two", 0644, "3"));
    rig.create("view", "l3");
    Map<String, String> wanted = StorageRig.tree(rig.mount("view"));

    rig.layer("squashed", "base", rig.diff("l3", "base"));
    rig.layer("flat", null, rig.diff("l3", null));

    rig.create("view2", "squashed");
    assertThat(StorageRig.tree(rig.mount("view2"))).isEqualTo(wanted);
    rig.create("view3", "flat");
    assertThat(StorageRig.tree(rig.mount("view3"))).isEqualTo(wanted);
    assertThat(rig.storage().diffSize(id("l3"), null))
        .isEqualTo(wanted.values().stream().filter(v -> !v.equals("dir")).count());
    assertThat(new String(rig.diff("l3", null), StandardCharsets.ISO_8859_1))
        .doesNotContain(".wh.");
    assertThat(rig.changes("l3", "l1"))
        .containsExactly("M /a", "A /a/two", "A /b", "M /c", "D /c/y", "A /c/z", "D /t");
    assertThatThrownBy(() -> rig.diff("l1", "l3")).isInstanceOf(LayersException.NotFound.class);
    assertThatThrownBy(() -> rig.diff("l1", "l1")).isInstanceOf(LayersException.NotFound.class);
  }

  @Test
  void refusesToContinueABrokenArchive() throws Exception {
    byte[] archive = tar().file("a", 0644, "x".repeat(2000)).file("b", 0644, "y").toBytes();
    rig.create("a", null);
    InputStream broken =
        new SequenceInputStream(
            new ByteArrayInputStream(Arrays.copyOf(archive, 1500)),
            new InputStream() {
              @Override
              public int read() throws IOException {
                throw new IOException("connection reset");
              }
            });

    assertThatThrownBy(() -> rig.storage().applyDiff(id("a"), null, broken))
        .isInstanceOf(LayersException.Failed.class)
        .hasMessageContaining("broke off after 1500 bytes: connection reset");
    assertThatThrownBy(
            () -> rig.storage().applyDiff(id("a"), null, new ByteArrayInputStream(archive)))
        .isInstanceOf(LayersException.Conflict.class)
        .hasMessageContaining("not complete; remove it");
    assertThatThrownBy(() -> rig.mount("a")).isInstanceOf(LayersException.Conflict.class);
    assertThatThrownBy(() -> rig.diff("a", null)).isInstanceOf(LayersException.Conflict.class);
    assertThatThrownBy(() -> rig.create("b", "a")).isInstanceOf(LayersException.Conflict.class);

    rig.storage().remove(id("a"));
    rig.layer("a", null, archive);
    assertThatThrownBy(
            () -> rig.storage().applyDiff(id("a"), null, new ByteArrayInputStream(archive)))
        .isInstanceOf(LayersException.Conflict.class)
        .hasMessageContaining("complete already");
  }

  @Test
  void takesArchivesWithoutAnyEntry() {
    assertThat(rig.layer("none", null, new byte[0])).isZero();
    assertThat(rig.layer("zeros", null, new byte[10_240])).isZero();
    byte[] garbage = Arrays.copyOf(tar().toBytes(), 200_000);
    garbage[199_999] = 'x';
    assertThat(rig.layer("garbage", null, garbage)).isZero();
    assertThat(rig.mount("none")).isEmptyDirectory();
  }

  @Test
  void stopsUnpackingALayerThatIsRemoved() throws Exception {
    rig.create("a", null);
    CountDownLatch reading = new CountDownLatch(1);
    CountDownLatch removed = new CountDownLatch(1);
    byte[] start = new RawTar().file("first", "x".repeat(300_000)).unended();
    byte[] rest = new RawTar().file("second", "y").end();
    InputStream waiting =
        new InputStream() {
          @Override
          public int read() {
            return -1;
          }

          @Override
          public int read(byte[] target, int offset, int length) {
            reading.countDown();
            try {
              removed.await();
            } catch (InterruptedException e) {
              Thread.currentThread().interrupt();
            }
            return -1;
          }
        };
    try (ExecutorService one = Executors.newSingleThreadExecutor()) {
      Future<?> applying =
          one.submit(
              () ->
                  rig.storage()
                      .applyDiff(
                          id("a"),
                          null,
                          new SequenceInputStream(
                              new SequenceInputStream(new ByteArrayInputStream(start), waiting),
                              new ByteArrayInputStream(rest))));
      reading.await();
      rig.storage().remove(id("a"));
      assertThat(rig.storage().exists(id("a"))).isFalse();
      removed.countDown();
      assertThatThrownBy(applying::get).hasCauseInstanceOf(LayersException.Cancelled.class);
    }
    rig.storage().cleanup();
    assertThat(rig.home.resolve("trash")).isEmptyDirectory();
  }

  @Test
  void keepsFilesWhileTheyArePacked() {
    rig.layer("a", null, tar().file("a", 0644, "1").file("b", 0644, "x".repeat(100_000)));
    boolean[] removed = new boolean[1];
    var out =
        new ByteArrayOutputStream() {
          @Override
          public void write(byte[] bytes, int from, int length) {
            if (!removed[0]) {
              removed[0] = true;
              rig.storage().remove(id("a"));
              rig.storage().cleanup();
            }
            super.write(bytes, from, length);
          }
        };

    rig.storage().diff(id("a"), null, out);

    assertThat(rig.layer("b", null, out.toByteArray())).isEqualTo(100_001);
    rig.storage().cleanup();
    assertThat(rig.home.resolve("trash")).isEmptyDirectory();
  }

  @Test
  void failsWhenNobodyReadsTheArchive() {
    rig.layer("a", null, tar().file("a", 0644, "1"));
    OutputStream gone =
        new OutputStream() {
          @Override
          public void write(int b) throws IOException {
            throw new IOException("broken pipe");
          }
        };

    assertThatThrownBy(() -> rig.storage().diff(id("a"), null, gone))
        .isInstanceOf(LayersException.Failed.class)
        .hasMessageContaining("broken pipe");
  }

  @Test
  void keepsHugeFilesSmall() throws Exception {
    long size = 10L << 30;
    rig.create("c", null);
    Path root = rig.mount("c");
    try (Directory directory = Directory.open(root);
        OpenFile file = directory.createFile(RawName.of("sparse"))) {
      file.truncate(size);
    }
    Files.writeString(root.resolve("after"), "1");

    try (ExecutorService one = Executors.newSingleThreadExecutor();
        var in = new PipedInputStream(1 << 20);
        var out = new PipedOutputStream(in)) {
      Future<?> packing =
          one.submit(
              () -> {
                rig.storage().diff(id("c"), null, out);
                out.close();
                return null;
              });
      rig.create("n", null);
      assertThat(rig.storage().applyDiff(id("n"), null, in)).isEqualTo(size + 1);
      packing.get();
    }

    assertThat(Files.size(diffOf("n").resolve("sparse"))).isEqualTo(size);
    assertThat(diffOf("n").resolve("after")).hasContent("1");
    try (Directory directory = Directory.open(diffOf("n"));
        OpenFile file = directory.openFile(RawName.of("sparse"))) {
      assertThat(file.seekData(0)).isEqualTo(-1);
    }
  }

  @Test
  void saysWhenTheDiskIsFull() throws Exception {
    Mounts.mount("none", Files.createDirectories(folder.resolve("small")), "tmpfs", "size=2m");
    try (StorageRig small = new StorageRig(folder.resolve("small"))) {
      small.create("a", null);
      byte[] archive =
          tar().file("a", 0644, new byte[0]).file("b", 0644, random(4 << 20)).toBytes();

      assertThatThrownBy(
              () -> small.storage().applyDiff(id("a"), null, new ByteArrayInputStream(archive)))
          .isInstanceOf(LayersException.Exhausted.class)
          .hasMessageContaining("no space");
      small.storage().remove(id("a"));
      small.storage().cleanup();
      assertThat(small.layer("b", null, tar().file("b", 0644, random(1 << 20)))).isEqualTo(1 << 20);
    } finally {
      Mounts.detach(folder.resolve("small"));
    }
  }

  private static byte[] random(int size) {
    byte[] bytes = new byte[size];
    new Random(1).nextBytes(bytes);
    return bytes;
  }

  @Test
  void mapsOwnersBothWays() throws Exception {
    rig.with(
        new IdMaps(
            List.of(new IdMaps.Range(0, 100_000, 65_536)),
            List.of(new IdMaps.Range(0, 200_000, 65_536))));
    rig.layer("base", null, tar().owner(0, 0).file("r", 0644, "").owner(1, 2).file("f", 0644, ""));
    rig.create("c", "base");
    Path root = rig.mount("c");

    assertThat(Files.getAttribute(root, "unix:uid")).isEqualTo(100_000);
    assertThat(Files.getAttribute(root.resolve("f"), "unix:uid")).isEqualTo(100_001);
    assertThat(Files.getAttribute(root.resolve("f"), "unix:gid")).isEqualTo(200_002);
    byte[] archive = rig.diff("base", null);
    rig.layer("again", null, archive);
    assertThat(rig.diff("again", null)).isEqualTo(archive);
    assertThatThrownBy(() -> rig.layer("bad", null, tar().owner(70_000, 0).file("f", 0644, "")))
        .isInstanceOf(LayersException.Rejected.class)
        .hasMessageContaining("entry 'f': uid 70000 of the container is not mapped");
    Files.createFile(root.resolve("hosts"));
    assertThatThrownBy(() -> rig.diff("c", "base"))
        .isInstanceOf(LayersException.Rejected.class)
        .hasMessageContaining("hosts cannot be packed: uid 0 of the host is not mapped");
  }

  @Test
  void packsTreesThatAreWideAndDeep() throws Exception {
    rig.create("c", null);
    Path root = rig.mount("c");
    for (int i = 0; i < 5000; i++) {
      Files.createFile(root.resolve("f" + i));
    }
    Path deep = root;
    for (int i = 0; i < 900; i++) {
      deep = Files.createDirectory(deep.resolve("d"));
    }
    Files.writeString(deep.resolve("x"), "1");

    assertThat(rig.layer("n", null, rig.diff("c", null))).isEqualTo(1);
    assertThat(rig.storage().changes(id("n"), null)).hasSize(5901);
  }
}
