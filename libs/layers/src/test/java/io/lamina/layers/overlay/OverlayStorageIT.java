package io.lamina.layers.overlay;

import static io.lamina.layers.overlay.StorageRig.id;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.lamina.image.testing.TarBuilder;
import io.lamina.layers.LayerInfo;
import io.lamina.layers.LayerOptions;
import io.lamina.layers.LayersException;
import io.lamina.layers.MountLabel;
import io.lamina.layers.StatusLine;
import io.lamina.layers.StorageSettings;
import io.lamina.linux.Mounts;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

class OverlayStorageIT {
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

  @Test
  void showsAnEmptyLayerAsAnEmptyDirectory() throws Exception {
    rig.create("empty", null);

    Path root = rig.mount("empty");

    assertThat(rig.storage().exists(id("empty"))).isTrue();
    assertThat(root.toFile().list()).isEmpty();
    assertThat(Files.getPosixFilePermissions(root))
        .isEqualTo(PosixFilePermissions.fromString("rwxr-xr-x"));
    assertThat(Files.getAttribute(root, "unix:uid")).isEqualTo(0);
    rig.unmount("empty");
    rig.storage().remove(id("empty"));
    assertThat(rig.storage().exists(id("empty"))).isFalse();
    assertThat(rig.storage().find(id("empty"))).isEmpty();
  }

  @Test
  void showsWhatLiesBelowAndKeepsItAsItIs() throws Exception {
    rig.layer("base", null, tar().file("a", 0644, "base").file("gone", 0644, "base"));
    rig.create("c-init", "base");
    rig.create("c", "c-init");

    Path root = rig.mount("c");
    Files.writeString(root.resolve("a"), "changed");
    Files.delete(root.resolve("gone"));
    rig.unmount("c");

    assertThat(StorageRig.tree(rig.mount("c"))).isEqualTo(Map.of("a", "changed"));
    assertThat(StorageRig.tree(rig.mount("base"))).isEqualTo(Map.of("a", "base", "gone", "base"));
    rig.unmount("c");
  }

  @ParameterizedTest
  @EnumSource
  void stacksHundredsOfLayersInFoldersWithStrangeNames(StorageSettings.Mounting mounting)
      throws Exception {
    try (StorageRig strange =
        new StorageRig(folder.resolve("a: b,c\\d" + "x".repeat(100))).with(mounting)) {
      strange.layer("l0", null, tar().file("f0", 0644, "0").file("shared", 0644, "0"));
      for (int i = 1; i < 499; i++) {
        strange.layer(
            "l" + i, "l" + (i - 1), tar().file("f" + i, 0644, "" + i).file("shared", 0644, "" + i));
      }
      strange.create("top", "l498");

      Path root = strange.mount("top");

      assertThat(root.toFile().list()).hasSize(500);
      assertThat(root.resolve("shared")).hasContent("498");
      Files.writeString(root.resolve("f0"), "changed");
      strange.unmount("top");
      assertThat(strange.mount("l498").resolve("f0")).hasContent("0");
      strange.unmount("l498");
      assertThatThrownBy(() -> strange.create("higher", "top"))
          .isInstanceOf(LayersException.Exhausted.class)
          .hasMessageContaining("would lie on 500 layers");
      assertThat(strange.storage().exists(id("higher"))).isFalse();
      assertThat(strange.mounts()).isEmpty();
    }
  }

  @Test
  void countsUsesAndGivesTheSamePathEachTime() {
    rig.layer("base", null, tar().file("a", 0644, "1"));
    rig.create("c", "base");

    Path first = rig.mount("c");
    assertThat(rig.mount("c")).isEqualTo(first);
    assertThat(rig.mounts()).hasSize(1);
    rig.unmount("c");
    assertThat(first.resolve("a")).hasContent("1");
    rig.unmount("c");
    assertThat(rig.mounts()).isEmpty();
    assertThat(first).doesNotExist();

    rig.unmount("c");
    rig.unmount("nobody");
    assertThat(rig.mount("c")).isEqualTo(first);
    rig.unmount("c");
    assertThat(rig.mounts()).isEmpty();
  }

  @Test
  void mountsAgainWhatSomebodyElseHasUnmounted() {
    rig.layer("base", null, tar().file("a", 0644, "1"));
    rig.create("c", "base");
    Path root = rig.mount("c");
    Mounts.detach(root);

    assertThat(rig.mount("c").resolve("a")).hasContent("1");
    assertThat(rig.storage().find(id("c"))).map(LayerInfo::uses).contains(2);
  }

  @Test
  void showsLayersThatOthersLieOnForReadingOnly() throws Exception {
    rig.layer("base", null, tar().file("a", 0644, "1"));
    rig.create("built", "base");
    Files.writeString(rig.mount("built").resolve("b"), "2");
    rig.unmount("built");
    rig.create("child", "built");

    Path built = rig.mount("built");

    assertThat(StorageRig.tree(built)).isEqualTo(Map.of("a", "1", "b", "2"));
    assertThatThrownBy(() -> Files.writeString(built.resolve("c"), "3"))
        .hasMessageContaining("Read-only");
    rig.unmount("built");
    rig.reopened();
    assertThatThrownBy(() -> Files.writeString(rig.mount("built").resolve("c"), "3"))
        .hasMessageContaining("Read-only");
  }

  @Test
  void removesWhatIsMountedAndNeverWhatLiesBelow() throws Exception {
    rig.layer("base", null, tar().file("a", 0644, "1"));
    rig.create("c", "base");
    Path root = rig.mount("c");
    rig.mount("c");

    rig.storage().remove(id("c"));
    rig.storage().remove(id("c"));
    rig.storage().remove(id("never"));
    rig.storage().cleanup();

    assertThat(rig.mounts()).isEmpty();
    assertThat(root.getParent()).doesNotExist();
    assertThat(rig.home.resolve("trash")).isEmptyDirectory();
    assertThat(rig.mount("base").resolve("a")).hasContent("1");
  }

  @Test
  void keepsTheFilesOfARemovedLayerForItsChildren() throws Exception {
    rig.layer("base", null, tar().file("a", 0644, "1"));
    rig.create("x-init", "base");
    rig.create("x", "x-init");

    rig.storage().remove(id("base"));
    rig.storage().remove(id("x-init"));

    assertThat(rig.storage().exists(id("base"))).isFalse();
    assertThat(rig.storage().layers()).extracting(LayerInfo::id).containsExactly(id("x"));
    assertThatThrownBy(() -> rig.create("y", "base")).isInstanceOf(LayersException.NotFound.class);
    assertThatThrownBy(() -> rig.create("base", null)).isInstanceOf(LayersException.Conflict.class);
    assertThat(rig.mount("x").resolve("a")).hasContent("1");
    rig.reopened();
    assertThat(rig.mount("x").resolve("a")).hasContent("1");
    assertThat(rig.storage().exists(id("base"))).isFalse();

    rig.storage().remove(id("x"));
    rig.storage().cleanup();
    assertThat(rig.home.resolve("layers")).isEmptyDirectory();
  }

  @Test
  void refusesIdsThatAreTakenAndParentsThatAreNot() {
    rig.create("a", null);

    assertThatThrownBy(() -> rig.create("a", null))
        .isInstanceOf(LayersException.Conflict.class)
        .hasMessage("layer a exists already");
    assertThatThrownBy(() -> rig.create("b", "nobody"))
        .isInstanceOf(LayersException.NotFound.class)
        .hasMessageContaining("nobody");
    assertThatThrownBy(() -> rig.mount("nobody")).isInstanceOf(LayersException.NotFound.class);
    assertThat(rig.storage().layers()).hasSize(1);
  }

  @Test
  void refusesSizesWhereThereAreNoQuotas() {
    LayerOptions options = LayerOptions.parse(Map.of("size", "1G"));
    List<StatusLine> status = rig.storage().status();
    org.junit.jupiter.api.Assumptions.assumeTrue(
        status.contains(new StatusLine("Project Quotas", "off")), "quotas are on here");

    assertThatThrownBy(() -> rig.storage().create(id("a"), null, options))
        .isInstanceOf(LayersException.NotSupported.class)
        .hasMessageContaining("does not have: mount an xfs with pquota");
    assertThat(rig.storage().exists(id("a"))).isFalse();
    rig.create("a", null);
  }

  @Test
  void staysConsistentWhenManyThreadsAskAtOnce() throws Exception {
    rig.layer("base", null, tar().file("a", 0644, "1"));
    List<String> ids = new ArrayList<>();
    for (int i = 0; i < 4; i++) {
      rig.create("c" + i, "base");
      ids.add("c" + i);
    }
    CountDownLatch start = new CountDownLatch(1);
    List<Future<?>> all = new ArrayList<>();
    try (ExecutorService threads = Executors.newFixedThreadPool(24)) {
      for (int t = 0; t < 24; t++) {
        int thread = t;
        all.add(
            threads.submit(
                () -> {
                  start.await();
                  for (int round = 0; round < 20; round++) {
                    String mine = "own-" + thread + "-" + round;
                    String shared = ids.get((thread + round) % ids.size());
                    rig.create(mine, "base");
                    assertThat(rig.mount(shared).resolve("a")).hasContent("1");
                    assertThat(rig.mount(mine).resolve("a")).hasContent("1");
                    rig.unmount(shared);
                    if (round % 2 == 0) {
                      rig.unmount(mine);
                    }
                    rig.storage().remove(id(mine));
                  }
                  return null;
                }));
      }
      start.countDown();
      for (Future<?> each : all) {
        each.get();
      }
    }

    assertThat(rig.mounts()).isEmpty();
    assertThat(rig.storage().layers()).hasSize(5).allMatch(layer -> layer.uses() == 0);
    rig.storage().cleanup();
    assertThat(rig.home.resolve("trash")).isEmptyDirectory();
  }

  @Test
  void findsItsMountsAgainAfterARestart() {
    rig.layer("base", null, tar().file("a", 0644, "1"));
    rig.create("c", "base");
    Path root = rig.mount("c");
    rig.mount("c");

    rig.reopened();

    assertThat(rig.storage().find(id("c"))).map(LayerInfo::uses).contains(2);
    rig.unmount("c");
    assertThat(root.resolve("a")).hasContent("1");
    rig.unmount("c");
    assertThat(rig.mounts()).isEmpty();
  }

  @Test
  void countsWhatIsMountedOnceForANewEngine() {
    rig.layer("base", null, tar().file("a", 0644, "1"));
    rig.create("c", "base");
    rig.create("d", "base");
    rig.mount("c");
    rig.mount("c");
    rig.mount("d");
    rig.unmount("d");

    rig.storage().beginSession();

    assertThat(rig.storage().find(id("c"))).map(LayerInfo::uses).contains(1);
    assertThat(rig.storage().find(id("d"))).map(LayerInfo::uses).contains(0);
    rig.unmount("c");
    assertThat(rig.mounts()).isEmpty();
  }

  @Test
  void forgetsUsesWhoseMountsAreGone() {
    rig.layer("base", null, tar().file("a", 0644, "1"));
    rig.create("c", "base");
    Path root = rig.mount("c");
    rig.mount("c");
    rig.stop();
    Mounts.detach(root);

    rig.reopened();

    assertThat(rig.storage().find(id("c"))).map(LayerInfo::uses).contains(0);
    assertThat(rig.mount("c").resolve("a")).hasContent("1");
    rig.unmount("c");
    assertThat(rig.mounts()).isEmpty();
  }

  @Test
  void cleansUpOnlyWhatNobodyUses() {
    rig.layer("base", null, tar().file("a", 0644, "1"));
    rig.create("c", "base");
    rig.mount("c");

    rig.storage().cleanup();

    assertThat(rig.mounts()).hasSize(1);
  }

  @Test
  void endsWhatAKilledProcessHasLeftHalfDone() throws Exception {
    rig.layer("base", null, tar().file("a", 0644, "1"));
    rig.create("applying", "base");
    rig.create("removed", null);
    rig.create("detached", "base");
    rig.mount("detached");
    rig.stop();
    Path layers = rig.home.resolve("layers");
    rewrite(layers.resolve("applying/layer.json"), "created", "applying");
    Files.writeString(layers.resolve("applying/diff/half"), "x");
    rewrite(layers.resolve("removed/layer.json"), "{", "{\"removed\":true,");
    Files.createDirectories(rig.home.resolve("tmp/making/diff"));
    Files.createDirectories(rig.home.resolve("trash/old~0/diff/deep"));
    Files.move(layers.resolve("detached"), rig.home.resolve("trash/detached~0"));
    Files.writeString(layers.resolve("base/.layer.json"), "{");

    rig.reopened();
    rig.storage().cleanup();

    assertThat(rig.storage().layers()).extracting(LayerInfo::id).containsExactly(id("base"));
    assertThat(rig.home.resolve("tmp")).isEmptyDirectory();
    assertThat(rig.home.resolve("trash")).isEmptyDirectory();
    assertThat(rig.mounts()).isEmpty();
    rig.create("applying", "base");
    assertThat(rig.mount("applying").resolve("a")).hasContent("1");
  }

  private static void rewrite(Path file, String from, String to) throws Exception {
    Files.writeString(file, Files.readString(file).replace(from, to));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "{",
        "[]",
        "{\"id\":\"other\",\"kind\":\"regular\",\"state\":\"created\"}",
        "{\"id\":\"broken\",\"kind\":\"round\",\"state\":\"created\"}",
        "{\"id\":\"broken\",\"parent\":\"../x\",\"kind\":\"regular\",\"state\":\"created\"}",
        "{\"id\":\"broken\",\"parent\":\"lost\",\"kind\":\"regular\",\"state\":\"created\"}",
        "{\"id\":\"broken\",\"parent\":\"broken\",\"kind\":\"regular\",\"state\":\"created\"}",
        "{\"id\":\"broken\",\"kind\":\"thin\",\"state\":\"applied\",\"folders\":[\"file:///etc\"]}"
      })
  void leavesLayersAloneThatItCannotUnderstand(String record) throws Exception {
    rig.create("good", null);
    rig.create("broken", null);
    Files.writeString(rig.home.resolve("layers/broken/layer.json"), record);

    rig.reopened();

    assertThat(rig.storage().layers()).extracting(LayerInfo::id).containsExactly(id("good"));
    assertThat(rig.home.resolve("layers/broken/diff")).isDirectory();
    assertThatThrownBy(() -> rig.create("broken", null))
        .isInstanceOf(LayersException.Conflict.class);
  }

  @Test
  void isOpenOnlyOnce() throws Exception {
    rig.storage();

    assertThatThrownBy(() -> OverlayStorage.open(rig.settings(), rig.cvmfs))
        .isInstanceOf(LayersException.Conflict.class)
        .hasMessageContaining("open already");
    rig.reopened();
    rig.stop();
    Files.writeString(rig.home.resolve("format.json"), "{\"version\":2}");
    assertThatThrownBy(() -> rig.storage())
        .isInstanceOf(LayersException.Conflict.class)
        .hasMessageContaining("another version");
  }

  @Test
  void refusesAFolderWhereOverlaysCannotWork() {
    rig.layer("base", null, tar().file("a", 0644, "1"));
    rig.create("c", "base");
    Path onOverlay = rig.mount("c").resolve("home");

    assertThatThrownBy(
            () ->
                OverlayStorage.open(
                    StorageSettings.of(onOverlay, folder.resolve("run2")), rig.cvmfs))
        .isInstanceOf(LayersException.NotSupported.class)
        .hasMessageContaining("no overlay can be mounted in " + onOverlay);
  }

  @Test
  void tellsEnginesTheDirectoriesOfAMount() {
    rig.layer("base", null, tar().file("a", 0644, "1"));
    rig.create("c-init", "base");
    rig.create("c", "c-init");
    Path layers = rig.home.resolve("layers");

    assertThat(rig.storage().metadata(id("c")))
        .containsEntry("LowerDir", layers + "/c-init/diff:" + layers + "/base/diff")
        .containsEntry("UpperDir", layers + "/c/diff")
        .containsEntry("WorkDir", layers + "/c/work")
        .containsEntry("MergedDir", layers + "/c/merged");
    assertThat(rig.storage().mount(id("c"), MountLabel.NONE)).isEqualTo(layers.resolve("c/merged"));
    assertThat(rig.storage().metadata(id("base"))).doesNotContainKey("LowerDir");
  }
}
