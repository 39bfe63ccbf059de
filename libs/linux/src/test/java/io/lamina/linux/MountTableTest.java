package io.lamina.linux;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;

class MountTableTest {
  private static MountTable parse(String text) throws IOException {
    return MountTable.parse(new ByteArrayInputStream(text.getBytes(StandardCharsets.ISO_8859_1)));
  }

  @Test
  void readsEachFieldOfALine() throws IOException {
    MountTable table =
        parse("36 35 98:0 /sub /mnt/a rw,noatime shared:1 master:2 - ext4 /dev/sda1 rw,discard\n");

    assertThat(table.mounts())
        .containsExactly(
            new MountPoint(
                36, 35, "98:0", "/sub", "/mnt/a", "rw,noatime", "ext4", "/dev/sda1", "rw,discard"));
  }

  @Test
  void decodesBlanksBackslashesAndNewlines() throws IOException {
    MountTable table = parse("1 0 0:1 / /a\\040b\\134c\\012d\\011e rw - tmpfs t\\040t rw\n");

    assertThat(table.at(Path.of("/a b\\c\nd\te"))).map(MountPoint::source).contains("t t");
  }

  @Test
  void leavesLinesOutThatAreNoMounts() throws IOException {
    MountTable table =
        parse("\nnonsense\n1 0 0:1 / / rw\n1 x 0:1 / / rw - a b c\n9 0 0:1 / /ok rw - a b c");

    assertThat(table.mounts()).extracting(MountPoint::path).containsExactly("/ok");
  }

  @Test
  void showsTheMountThatCoversOthers() throws IOException {
    MountTable table =
        parse("1 0 0:1 / /m rw - ext4 below rw\n2 1 0:2 / /m rw - overlay above rw\n");

    assertThat(table.at(Path.of("/m"))).map(MountPoint::source).contains("above");
    assertThat(table.at(Path.of("/m/x"))).isEmpty();
  }

  @Test
  void findsTheFileSystemThatHoldsAPath() throws IOException {
    MountTable table =
        parse(
            "1 0 0:1 / / rw - ext4 root rw\n2 1 0:2 / /var rw - xfs var rw\n"
                + "3 1 0:3 / /various rw - tmpfs t rw\n");

    assertThat(table.holding(Path.of("/var/lib"))).map(MountPoint::type).contains("xfs");
    assertThat(table.holding(Path.of("/variety"))).map(MountPoint::type).contains("ext4");
    assertThat(table.below(Path.of("/var"))).isEmpty();
    assertThat(table.below(Path.of("/"))).hasSize(2 + 1);
  }

  @Test
  void refusesLinesWithoutEnd() {
    assertThatThrownBy(() -> parse("x".repeat((1 << 24) + 1)))
        .isInstanceOf(IOException.class)
        .hasMessageContaining("longer lines");
  }

  @Test
  void readsThisMachinesTable() {
    assertThat(MountTable.read().at(Path.of("/proc"))).map(MountPoint::type).contains("proc");
  }
}
