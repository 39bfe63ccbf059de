package io.lamina.linux;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class DirectoryIT {
  @TempDir Path folder;
  private Directory directory;

  @BeforeEach
  void open() {
    directory = Directory.open(folder);
  }

  @AfterEach
  void close() {
    directory.close();
  }

  private static byte[] name(String text) {
    return RawName.of(text);
  }

  private static void requireRoot() {
    Assumptions.assumeTrue(
        "root".equals(System.getProperty("user.name")), "device nodes and owners need root");
  }

  private void write(String file, String content) {
    try (CopyBuffer buffer = new CopyBuffer(64);
        OpenFile open = directory.createFile(name(file))) {
      byte[] bytes = name(content);
      System.arraycopy(bytes, 0, buffer.bytes(), 0, bytes.length);
      open.write(buffer, 0, bytes.length);
    }
  }

  @Test
  void keepsEveryAttributeOfARegularFile() {
    requireRoot();
    write("f", "12345");

    try (OpenFile file = directory.openFile(name("f"))) {
      file.changeOwner(70_000, (int) 4_000_000_000L);
      file.setXattr("user.note", new byte[] {0, -1, 'x'});
      file.changePermissions(06755);
      file.changeTime(-5, 123_456_789);
    }

    FileStatus status = directory.status(name("f")).orElseThrow();
    assertThat(status.type()).isEqualTo(FileType.REGULAR);
    assertThat(status.permissions()).isEqualTo(06755);
    assertThat(status.uid()).isEqualTo(70_000);
    assertThat(status.gid()).isEqualTo(4_000_000_000L);
    assertThat(status.sizeBytes()).isEqualTo(5);
    assertThat(status.mtimeSeconds()).isEqualTo(-5);
    assertThat(status.mtimeNanos()).isEqualTo(123_456_789);
    assertThat(status.links()).isEqualTo(1);
    assertThat(directory.xattr(name("f"), "user.note")).contains(new byte[] {0, -1, 'x'});
    assertThat(directory.xattrs(name("f"))).containsExactly("user.note");
    assertThat(directory.xattr(name("f"), "user.other")).isEmpty();
  }

  @Test
  void makesEveryKindOfEntry() {
    requireRoot();
    directory.makeDirectory(name("d"));
    directory.makeNode(name("c"), FileType.CHARACTER_DEVICE, 0xabc, 0xfedcb);
    directory.makeNode(name("b"), FileType.BLOCK_DEVICE, 7, 300);
    directory.makeNode(name("w"), FileType.CHARACTER_DEVICE, 0, 0);
    directory.makeNode(name("p"), FileType.FIFO, 0, 0);
    directory.makeNode(name("s"), FileType.SOCKET, 0, 0);
    directory.makeSymlink(name("l"), name("/no/where"));
    directory.makeHardLink(name("l2"), directory, name("l"));

    assertThat(directory.list(100))
        .extracting(entry -> new String(entry.name(), ISO_8859_1) + " " + entry.type())
        .containsExactlyInAnyOrder(
            "d DIRECTORY",
            "c CHARACTER_DEVICE",
            "b BLOCK_DEVICE",
            "w CHARACTER_DEVICE",
            "p FIFO",
            "s SOCKET",
            "l SYMLINK",
            "l2 SYMLINK");
    FileStatus device = directory.status(name("c")).orElseThrow();
    assertThat(device.deviceMajor()).isEqualTo(0xabc);
    assertThat(device.deviceMinor()).isEqualTo(0xfedcb);
    assertThat(device.isWhiteout()).isFalse();
    assertThat(directory.status(name("w")).orElseThrow().isWhiteout()).isTrue();
    assertThat(directory.readLink(name("l2"))).isEqualTo(name("/no/where"));
    assertThat(directory.status(name("l")).orElseThrow().links()).isEqualTo(2);
  }

  @Test
  void keepsNamesThatAreNotUtf8() {
    byte[] raw = {'a', (byte) 0xff, '\n', ':', ',', '\\'};
    directory.makeDirectory(raw);

    assertThat(directory.list(10)).singleElement().extracting(Directory.Entry::name).isEqualTo(raw);
    assertThat(directory.status(raw)).isPresent();
  }

  @Test
  void staysBelowItsRootWhateverLinksSay() {
    directory.makeDirectory(name("in"));
    directory.makeSymlink(name("absolute"), name("/in"));
    directory.makeSymlink(name("up"), name("../../../../in"));
    directory.makeSymlink(name("out"), name("/etc"));

    try (Directory absolute = directory.openDirectory(name("absolute"), Resolution.IN_ROOT);
        Directory up = directory.openDirectory(name("up"), Resolution.IN_ROOT)) {
      long wanted = directory.status(name("in")).orElseThrow().inode();
      assertThat(absolute.status().inode()).isEqualTo(wanted);
      assertThat(up.status().inode()).isEqualTo(wanted);
    }
    assertThat(directory.findDirectory(name("out"), Resolution.IN_ROOT)).isEmpty();
    for (String escape : List.of("absolute", "up", "out", "..", "/etc")) {
      assertThatThrownBy(() -> directory.openDirectory(name(escape), Resolution.BENEATH))
          .as(escape)
          .isInstanceOf(LinuxException.Failed.class)
          .hasMessageContaining("openat2")
          .hasMessageContaining("EXDEV");
    }
    assertThatThrownBy(() -> directory.openDirectory(name("absolute"), Resolution.NO_SYMLINKS))
        .hasMessageContaining("ELOOP");
  }

  @Test
  void neverFollowsALastComponent() {
    write("target", "x");
    directory.makeSymlink(name("link"), name("target"));

    assertThatThrownBy(() -> directory.openFile(name("link"))).hasMessageContaining("ELOOP");
    assertThatThrownBy(() -> directory.createFile(name("link")))
        .isInstanceOf(LinuxException.AlreadyExists.class);
    directory.changeTime(name("link"), 7, 0);
    assertThat(directory.status(name("target")).orElseThrow().mtimeSeconds()).isNotEqualTo(7);
  }

  @Test
  void tellsCallPathAndReason() {
    assertThatThrownBy(() -> directory.unlink(name("gone")))
        .isInstanceOf(LinuxException.NotFound.class)
        .hasMessage("unlinkat " + folder + "/gone: no such file or directory (ENOENT)");
    directory.makeDirectory(name("full"));
    write("full/x", "");
    assertThatThrownBy(() -> directory.removeDirectory(name("full")))
        .isInstanceOfSatisfying(
            LinuxException.AlreadyExists.class,
            e -> assertThat(e.errno().symbol()).isEqualTo("ENOTEMPTY"));
    assertThatThrownBy(() -> directory.makeDirectory(new byte[] {'a', 0, 'b'}))
        .isInstanceOf(IllegalArgumentException.class);
    assertThatThrownBy(() -> directory.list(0)).hasMessageContaining("more than 0 entries");
  }

  @Test
  void findsDataAndHoles() {
    try (CopyBuffer buffer = new CopyBuffer(4096);
        OpenFile file = directory.createFile(name("sparse"))) {
      file.seek(1 << 20);
      file.write(buffer, 0, 4096);
      file.truncate(4 << 20);

      assertThat(file.seekData(0)).isEqualTo(1 << 20);
      assertThat(file.seekHole(1 << 20)).isEqualTo((1 << 20) + 4096);
      assertThat(file.seekData((1 << 20) + 4096)).isEqualTo(-1);
      assertThat(file.status().sizeBytes()).isEqualTo(4 << 20);
      file.sync();
    }
    directory.syncFileSystem();
  }

  @Test
  void movesOnlyToFreeNamesWhenAskedTo() {
    write("a", "1");
    write("b", "2");

    assertThatThrownBy(() -> directory.renameToFree(name("a"), directory, name("b")))
        .isInstanceOf(LinuxException.AlreadyExists.class);
    directory.rename(name("a"), directory, name("b"));
    assertThat(directory.status(name("a"))).isEmpty();
  }

  @Test
  void deletesTreesDeeperThanAnyPath() throws Exception {
    directory.makeDirectory(name("tree"));
    Directory level = directory.openDirectory(name("tree"), Resolution.NO_SYMLINKS);
    for (int i = 0; i < 3000; i++) {
      level.makeDirectory(name("deep"));
      Directory next = level.openDirectory(name("deep"), Resolution.NO_SYMLINKS);
      level.close();
      level = next;
    }
    level.createFile(name("bottom")).close();
    level.close();
    Files.createFile(folder.resolve("outside"));
    Files.createSymbolicLink(folder.resolve("tree/link"), folder.resolve("outside"));
    Files.createDirectory(folder.resolve("tree/.deleted-0"));
    Files.createFile(folder.resolve("tree/.deleted-1"));

    TreeDeletion.delete(directory, name("tree"));
    TreeDeletion.delete(directory, name("tree"));

    assertThat(folder.toFile().list()).containsExactly("outside");
  }

  @Test
  void saysThatQuotasAreNotSupported() {
    requireRoot();
    try {
      ProjectQuota.limit(directory, 77, 1 << 20);
      Assumptions.abort("quotas of projects are on here");
    } catch (LinuxException.NotSupported e) {
      assertThat(e).hasMessageContaining("quotactl_fd").hasMessageContaining("not supported here");
    }
  }
}
