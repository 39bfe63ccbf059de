package io.lamina.linux;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class OverlayIT {
  private static final SortedMap<String, String> OPTIONS =
      new TreeMap<>(Map.of("index", "off", "metacopy", "off"));

  @TempDir Path folder;
  private final List<Directory> open = new ArrayList<>();

  @BeforeEach
  void mountAFileSystemForLayers() throws Exception {
    Assumptions.assumeTrue("root".equals(System.getProperty("user.name")), "mounting needs root");
    Assumptions.assumeTrue(
        Files.readString(Path.of("/proc/filesystems")).contains("\toverlay\n"),
        "this kernel has no overlayfs");
    Mounts.mount("none", folder, "tmpfs", "mode=755");
    for (String name : List.of("upper", "work", "at")) {
      Files.createDirectory(folder.resolve(name));
    }
  }

  @AfterEach
  void unmount() {
    open.forEach(Directory::close);
    Mounts.detach(folder.resolve("at"));
    Mounts.detach(folder);
  }

  private Directory directory(String name) throws Exception {
    Directory directory = Directory.open(Files.createDirectories(folder.resolve(name)));
    open.add(directory);
    return directory;
  }

  private List<Directory> lowers(int count) throws Exception {
    List<Directory> lowers = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      String name = "a rather long name with : and , and \\ in it " + "x".repeat(150) + i;
      Files.createDirectories(folder.resolve(name));
      Files.writeString(folder.resolve(name).resolve("f" + i), "of " + i);
      Files.writeString(folder.resolve(name).resolve("shared"), "of " + i);
      lowers.add(directory(name));
    }
    return lowers;
  }

  @ParameterizedTest
  @EnumSource
  void stacksAsManyLayersAsTheKernelCan(Overlay.Method method) throws Exception {
    Path at = folder.resolve("at");
    Overlay overlay = new Overlay(lowers(500), directory("upper"), directory("work"), OPTIONS);

    overlay.mountAt(at, method);

    assertThat(Mounts.isMounted(at)).isTrue();
    assertThat(at.toFile().list()).hasSize(501);
    assertThat(at.resolve("shared")).hasContent("of 0");
    Files.writeString(at.resolve("f499"), "changed");
    assertThat(folder.resolve("upper/f499")).hasContent("changed");
    assertThat(MountTable.read().at(at)).map(MountPoint::type).contains("overlay");
    assertThat(Mounts.detach(at)).isTrue();
    assertThat(Mounts.isMounted(at)).isFalse();
    assertThat(Mounts.detach(at)).isFalse();
  }

  @ParameterizedTest
  @EnumSource
  void mountsWithoutUpperForReadingOnly(Overlay.Method method) throws Exception {
    Path at = folder.resolve("at");
    new Overlay(lowers(2), null, null, OPTIONS).mountAt(at, method);

    assertThat(at.resolve("f1")).hasContent("of 1");
    assertThatThrownBy(() -> Files.writeString(at.resolve("new"), ""))
        .hasMessageContaining("Read-only");
  }

  @Test
  void showsADirectoryAtASecondPath() throws Exception {
    Files.writeString(folder.resolve("upper/x"), "1");

    Mounts.bind(folder.resolve("upper"), folder.resolve("at"));

    assertThat(folder.resolve("at/x")).hasContent("1");
    assertThat(Mounts.isMounted(folder.resolve("at"))).isTrue();
  }

  @Test
  void passesTheKernelsReasonOn() throws Exception {
    SortedMap<String, String> wrong = new TreeMap<>(Map.of("no_such_option", "1"));
    Overlay overlay = new Overlay(lowers(2), null, null, wrong);

    assertThatThrownBy(() -> overlay.mountAt(folder.resolve("at"), Overlay.Method.NAMES))
        .isInstanceOf(LinuxException.class)
        .hasMessageContaining("fsconfig overlay no_such_option")
        .hasMessageContaining("the kernel says: ");
  }

  @Test
  void refusesWhatTheKernelWouldRefuseWithoutAReason() throws Exception {
    List<Directory> one = lowers(1);
    List<Directory> many = Collections.nCopies(501, one.getFirst());

    assertThatThrownBy(() -> new Overlay(one, null, null, OPTIONS))
        .isInstanceOf(IllegalArgumentException.class);
    assertThatThrownBy(() -> new Overlay(many, null, null, OPTIONS))
        .hasMessageContaining("501 lower directories (at most 500)");
    assertThatThrownBy(() -> Mounts.mount("x", folder.resolve("at"), "tmpfs", "mode=".repeat(1000)))
        .hasMessageContaining("5000 bytes; the kernel reads 4095");
  }

  @Test
  void neverDeletesWhatIsMounted() throws Exception {
    Files.createDirectories(folder.resolve("tree/sub/at"));
    Mounts.bind(folder.resolve("upper"), folder.resolve("tree/sub/at"));
    Files.createFile(folder.resolve("upper/keep"));
    try {
      assertThatThrownBy(() -> TreeDeletion.delete(directory("."), RawName.of("tree")))
          .isInstanceOf(LinuxException.class);
      assertThat(folder.resolve("upper/keep")).exists();
    } finally {
      MountTable.read()
          .below(folder.resolve("tree"))
          .forEach(mount -> Mounts.detach(Path.of(mount.path())));
    }
  }
}
