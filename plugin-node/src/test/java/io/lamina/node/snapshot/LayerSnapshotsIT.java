package io.lamina.node.snapshot;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.lamina.linux.Directory;
import io.lamina.node.snapshot.SnapshotInfo.Kind;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** The rules that every snapshotter of containerd keeps, on real overlays. */
class LayerSnapshotsIT {
  private SnapshotRig rig;

  @BeforeEach
  void open(@TempDir Path folder) {
    rig = new SnapshotRig(folder);
  }

  @AfterEach
  void close() {
    rig.close();
  }

  private LayerSnapshots snapshots() {
    return rig.snapshots();
  }

  @Test
  void showsWhatWasCommittedBelow() throws IOException {
    Path first = rig.prepare("first-active", "");
    SnapshotRig.write(first, "foo", "foo");
    SnapshotRig.write(first, "a/b/c", "deep");
    snapshots().commit("first", "first-active", Map.of());

    Path second = rig.prepare("second-active", "first");
    assertThat(SnapshotRig.read(second, "foo")).isEqualTo("foo");
    SnapshotRig.write(second, "foo", "changed");
    SnapshotRig.write(second, "bar", "bar");
    Files.delete(second.resolve("a/b/c"));
    Files.delete(second.resolve("a/b"));
    snapshots().commit("second", "second-active", Map.of());

    Path view = SnapshotRig.shown(snapshots().view("view", "second", Map.of()));
    assertThat(SnapshotRig.read(view, "foo")).isEqualTo("changed");
    assertThat(SnapshotRig.read(view, "bar")).isEqualTo("bar");
    assertThat(view.resolve("a")).isEmptyDirectory();
    Path old = SnapshotRig.shown(snapshots().view("old", "first", Map.of()));
    assertThat(SnapshotRig.read(old, "foo")).isEqualTo("foo");
    assertThat(SnapshotRig.read(old, "a/b/c")).isEqualTo("deep");
    assertThat(old.resolve("bar")).doesNotExist();
  }

  @Test
  void keepsModesOfTheRootAndOwnersAcrossCommits() throws IOException {
    Path first = rig.prepare("a", "");
    assertThat(Files.getPosixFilePermissions(first))
        .isEqualTo(PosixFilePermissions.fromString("rwxr-xr-x"));
    SnapshotRig.write(first, "dir/file", "x");
    Files.setAttribute(first.resolve("dir"), "unix:uid", 1);
    Files.setAttribute(first.resolve("dir"), "unix:gid", 2);
    Files.setAttribute(first.resolve("dir"), "unix:mode", 01777);
    try (Directory dir = Directory.open(first.resolve("dir"))) {
      dir.setXattr(SnapshotRig.name("file"), "user.kept", SnapshotRig.name("value"));
    }
    snapshots().commit("c", "a", Map.of());

    Path second = rig.prepare("b", "c");
    assertThat(Files.getAttribute(second.resolve("dir"), "unix:uid")).isEqualTo(1);
    assertThat(Files.getAttribute(second.resolve("dir"), "unix:gid")).isEqualTo(2);
    assertThat((int) Files.getAttribute(second.resolve("dir"), "unix:mode") & 07777)
        .isEqualTo(01777);
    try (Directory dir = Directory.open(second.resolve("dir"))) {
      assertThat(dir.xattr(SnapshotRig.name("file"), "user.kept"))
          .hasValue(SnapshotRig.name("value"));
    }
  }

  @Test
  void stacks128Layers() {
    String parent = "";
    for (int i = 0; i < 128; i++) {
      String name = "c" + i;
      Path root = rig.prepare(name + "-active", parent);
      SnapshotRig.write(root, "file-" + i, "" + i);
      SnapshotRig.write(root, "last", "" + i);
      snapshots().commit(name, name + "-active", Map.of());
      parent = name;
    }

    Path view = SnapshotRig.shown(snapshots().view("all", parent, Map.of()));
    assertThat(SnapshotRig.read(view, "last")).isEqualTo("127");
    for (int i = 0; i < 128; i++) {
      assertThat(SnapshotRig.read(view, "file-" + i)).isEqualTo("" + i);
    }
  }

  @Test
  void tellsKindsParentsAndTimes() {
    Instant made = rig.now();
    rig.prepare("active", "");
    rig.pass(Duration.ofSeconds(5));
    snapshots().commit("committed", "active", Map.of("l", "1"));
    snapshots().view("view", "committed", Map.of());

    assertThat(snapshots().stat("committed"))
        .isEqualTo(
            new SnapshotInfo(
                "committed",
                "",
                Kind.COMMITTED,
                new TreeMap<>(Map.of("l", "1")),
                made.plusSeconds(5),
                made.plusSeconds(5)));
    assertThat(snapshots().stat("view").kind()).isEqualTo(Kind.VIEW);
    assertThat(snapshots().stat("view").parent()).isEqualTo("committed");
    assertThatExceptionOfType(SnapshotException.NotFound.class)
        .isThrownBy(() -> snapshots().stat("active"));
  }

  /** A call that containerd's rules refuse, after {@code c} (committed), {@code a}, {@code v}. */
  static Stream<Arguments> refusedCalls() {
    Map<String, String> none = Map.of();
    return Stream.of(
        refused("prepare a key twice", s -> s.prepare("a", "c", none), "AlreadyExists"),
        refused("view a key twice", s -> s.view("v", "c", none), "AlreadyExists"),
        refused("prepare a view's key", s -> s.prepare("v", "", none), "AlreadyExists"),
        refused("prepare a committed name", s -> s.prepare("c", "", none), "AlreadyExists"),
        refused("prepare on nothing", s -> s.prepare("n", "missing", none), "NotFound"),
        refused("view on nothing", s -> s.view("n", "missing", none), "NotFound"),
        refused("prepare on an active one", s -> s.prepare("n", "a", none), "Invalid"),
        refused("view on a view", s -> s.view("n", "v", none), "Invalid"),
        refused("prepare without a key", s -> s.prepare("", "c", none), "Invalid"),
        refused("commit without a name", s -> s.commit("", "a", none), "Invalid"),
        refused("commit under a taken name", s -> s.commit("c", "a", none), "AlreadyExists"),
        refused("commit under its own key", s -> s.commit("a", "a", none), "AlreadyExists"),
        refused("commit nothing", s -> s.commit("n", "missing", none), "NotFound"),
        refused("commit a view", s -> s.commit("n", "v", none), "FailedPrecondition"),
        refused("commit a committed one", s -> s.commit("n", "c", none), "FailedPrecondition"),
        refused("remove a parent", s -> s.remove("c"), "FailedPrecondition"),
        refused("remove nothing", s -> s.remove("missing"), "NotFound"),
        refused("mount a committed one", s -> s.mounts("c"), "FailedPrecondition"),
        refused("mount nothing", s -> s.mounts("missing"), "NotFound"),
        refused("stat nothing", s -> s.stat("missing"), "NotFound"),
        refused("measure nothing", s -> s.usage("missing"), "NotFound"),
        refused("update nothing", s -> s.update("missing", none, List.of()), "NotFound"),
        refused("update a parent", s -> s.update("a", none, List.of("parent")), "Invalid"),
        refused("update a name", s -> s.update("a", none, List.of("name")), "Invalid"),
        refused(
            "a label too long", s -> s.prepare("n", "", Map.of("l", "x".repeat(4096))), "Invalid"),
        refused("a key too long", s -> s.prepare("x".repeat(5000), "", none), "Invalid"),
        refused("a filter that is none", s -> s.list(List.of("name=a")), "Invalid"));
  }

  interface Call {
    void on(LayerSnapshots snapshots);
  }

  private static Arguments refused(String what, Call call, String error) {
    return Arguments.of(what, call, error);
  }

  @ParameterizedTest(name = "{0}: {2}")
  @MethodSource("refusedCalls")
  void refusesAndChangesNothing(String what, Call call, String error) {
    rig.commit("c", "", "file", "content");
    rig.prepare("a", "c");
    snapshots().view("v", "c", Map.of());
    List<SnapshotInfo> before = snapshots().list(List.of());
    List<String> layers = rig.layersOnDisk();

    assertThatThrownBy(() -> call.on(snapshots()))
        .isInstanceOfSatisfying(
            SnapshotException.class,
            e -> assertThat(e.getClass().getSimpleName()).isEqualTo(error));

    assertThat(snapshots().list(List.of())).isEqualTo(before);
    assertThat(rig.layersOnDisk()).isEqualTo(layers);
    assertThat(rig.reopened().list(List.of())).isEqualTo(before);
  }

  @Test
  void usesKeysAndNamesAgainThatWereRemoved() {
    rig.commit("c", "", "file", "old");
    rig.prepare("again", "c");
    snapshots().remove("again");
    snapshots().view("again", "c", Map.of());
    snapshots().remove("again");
    Path root = rig.prepare("again", "");
    SnapshotRig.write(root, "file", "new");
    snapshots().remove("c");
    snapshots().commit("c", "again", Map.of());

    assertThat(SnapshotRig.read(rig.prepare("look", "c"), "file")).isEqualTo("new");
  }

  @Test
  void removesFromTheTopOnly() {
    rig.commit("bottom", "", "b", "b");
    rig.commit("middle", "bottom", "m", "m");
    rig.prepare("top", "middle");
    assertThatThrownBy(() -> snapshots().remove("middle")).hasMessageContaining("cannot remove");

    snapshots().remove("top");
    snapshots().remove("middle");
    snapshots().remove("bottom");

    assertThat(snapshots().list(List.of())).isEmpty();
    assertThat(rig.recordsOnDisk()).isEmpty();
    assertThat(rig.layersOnDisk()).isEmpty();
    assertThat(rig.mountsOfLayers()).isZero();
  }

  @Test
  void changesLabelsByFieldsOrAltogether() {
    rig.commit("c", "", "file", "x");
    Instant created = snapshots().stat("c").created();
    rig.pass(Duration.ofSeconds(9));

    SnapshotInfo all =
        snapshots().update("c", Map.of("l1", "v1", "l2", "v2", "l3", "v3"), List.of());
    assertThat(all.labels()).isEqualTo(Map.of("l1", "v1", "l2", "v2", "l3", "v3"));
    assertThat(all.created()).isEqualTo(created);
    assertThat(all.updated()).isEqualTo(created.plusSeconds(9));
    assertThat(
            snapshots()
                .update("c", Map.of("l1", "changed", "l4", "v4"), List.of("labels.l1", "labels.l2"))
                .labels())
        .isEqualTo(Map.of("l1", "changed", "l3", "v3"));
    assertThat(snapshots().update("c", Map.of("l4", "v4"), List.of("labels")).labels())
        .isEqualTo(Map.of("l4", "v4"));
    assertThat(rig.reopened().stat("c").labels()).isEqualTo(Map.of("l4", "v4"));
  }

  @Test
  void measuresWhatASnapshotHasOfItsOwn() {
    rig.commit("c", "", "file", "0123456789");
    Path root = rig.prepare("a", "c");
    long empty = snapshots().usage("a").inodes();
    SnapshotRig.write(root, "more", "123");

    assertThat(snapshots().usage("c").sizeBytes()).isEqualTo(10);
    assertThat(snapshots().usage("c").inodes()).isEqualTo(2);
    assertThat(empty).isEqualTo(1);
    assertThat(snapshots().usage("a").sizeBytes()).isEqualTo(3);
    assertThat(snapshots().usage("a").inodes()).isEqualTo(2);
  }

  @Test
  void givesViewsThatCanOnlyBeReadWhenMounted() throws Exception {
    rig.commit("c", "", "file", "x");
    rig.commit("d", "c", "file", "y");
    for (String parent : List.of("c", "d")) {
      List<SnapshotMount> mounts = snapshots().view("view-" + parent, parent, Map.of());
      Path target = Files.createDirectories(rig.records.resolveSibling("target-" + parent));
      run("mount", "--bind", mounts.getFirst().source(), target.toString());
      try {
        assertThat(mounts.getFirst().type()).isEqualTo("bind");
        assertThat(mounts.getFirst().options()).contains("ro");
        run("mount", "-o", "remount,bind,ro", target.toString());
        assertThatThrownBy(() -> Files.writeString(target.resolve("new"), "x"))
            .hasMessageContaining("Read-only");
        assertThat(target.resolve("file")).exists();
      } finally {
        run("umount", target.toString());
      }
    }
  }

  private static void run(String... command) throws IOException, InterruptedException {
    Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
    String output = new String(process.getInputStream().readAllBytes());
    assertThat(process.waitFor()).as(output).isZero();
  }

  @Test
  void goesOnWithMountedSnapshotsAfterARestart() {
    rig.commit("c", "", "file", "x");
    Path root = rig.prepare("a", "c");
    SnapshotRig.write(root, "before", "1");

    LayerSnapshots next = rig.reopened();

    assertThat(SnapshotRig.read(root, "before")).isEqualTo("1");
    assertThat(SnapshotRig.shown(next.mounts("a"))).isEqualTo(root);
    assertThat(rig.mountsOfLayers()).isEqualTo(1);
    next.remove("a");
    assertThat(rig.mountsOfLayers()).isZero();
  }

  @Test
  void mountsAnewWhatTheMachineHasForgotten() throws Exception {
    rig.commit("c", "", "file", "x");
    Path root = rig.prepare("a", "c");
    SnapshotRig.write(root, "kept", "1");
    rig.stop();
    run("umount", "-l", root.toString());

    assertThat(SnapshotRig.read(SnapshotRig.shown(rig.snapshots().mounts("a")), "kept"))
        .isEqualTo("1");
    run("umount", "-l", root.toString());
    assertThat(SnapshotRig.read(SnapshotRig.shown(rig.snapshots().mounts("a")), "kept"))
        .isEqualTo("1");
  }

  @Test
  void removesWhatAKilledProcessHasLeftHalfMade() throws IOException {
    rig.commit("c", "", "file", "x");
    rig.prepare("a", "c");
    rig.stop();
    List<Path> records = rig.recordsOnDisk();
    // Killed after a layer was made and before its record was written, and while one was written.
    Files.delete(records.getLast());
    Files.writeString(records.getLast().resolveSibling(".s9.json"), "{");

    LayerSnapshots next = rig.snapshots();

    assertThat(next.list(List.of())).extracting(SnapshotInfo::name).containsExactly("c");
    assertThat(rig.layersOnDisk()).hasSize(1);
    assertThat(rig.recordsOnDisk()).hasSize(1);
    assertThat(rig.mountsOfLayers()).isZero();
    next.remove("c");
    assertThat(rig.layersOnDisk()).isEmpty();
  }

  @Test
  void leavesABrokenRecordAndItsLayerAlone() throws IOException {
    rig.commit("c", "", "file", "x");
    rig.stop();
    Files.writeString(rig.recordsOnDisk().getFirst(), "{\"version\":7}");

    assertThat(rig.snapshots().list(List.of())).isEmpty();
    assertThat(rig.layersOnDisk()).hasSize(1);
    rig.commit("c", "", "file", "y");
    assertThat(rig.layersOnDisk()).hasSize(2);
  }
}
