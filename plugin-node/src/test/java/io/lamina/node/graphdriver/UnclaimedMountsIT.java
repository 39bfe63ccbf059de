package io.lamina.node.graphdriver;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.lamina.layers.CvmfsRoots;
import io.lamina.layers.StorageSettings;
import io.lamina.layers.overlay.OverlayStorage;
import io.lamina.linux.MountTable;
import io.lamina.linux.Mounts;
import java.io.ByteArrayInputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Mounts whose last call was lost with the process before. */
class UnclaimedMountsIT {
  @TempDir Path folder;
  private LayerDriver driver;
  private Path view;

  @BeforeEach
  void leaveAMountToTheNextProcess() {
    assumeTrue(
        "root".equals(System.getProperty("user.name"))
            && !MountTable.read().holding(folder).orElseThrow().type().equals("overlay"),
        "only root can mount overlays, and not on an overlay");
    try (LayerDriver before = driver()) {
      before.init(new Session("/engine", List.of(), List.of(), List.of()));
      before.create(new LayerRequest("image", null, null, Map.of()));
      before.applyDiff("image", null, new ByteArrayInputStream(new byte[1024]));
      before.createReadWrite(new LayerRequest("box", "image", null, Map.of()));
      view = Path.of(before.get("box", null));
    }
    driver = driver();
    driver.resume();
  }

  @AfterEach
  void unmount() {
    driver.close();
    MountTable.read().below(folder).reversed().forEach(m -> Mounts.detach(Path.of(m.path())));
  }

  private LayerDriver driver() {
    return new LayerDriver(
        (_, ids, _) ->
            OverlayStorage.open(
                StorageSettings.of(folder.resolve("layers"), folder.resolve("run")).withIds(ids),
                CvmfsRoots.NONE),
        new SessionFile(folder.resolve("session.json")),
        List::of);
  }

  @Test
  void areEndedWhenNobodyAsksForThem() {
    assertThat(driver.releaseUnclaimed(Duration.ofHours(1), MountUsers::hasOthers)).isZero();
    assertThat(view).exists();

    assertThat(driver.releaseUnclaimed(Duration.ZERO, MountUsers::hasOthers)).isEqualTo(1);

    assertThat(view).doesNotExist();
    assertThat(driver.releaseUnclaimed(Duration.ZERO, MountUsers::hasOthers)).isZero();
  }

  @Test
  void stayWhenTheEngineAsksForThem() {
    driver.get("box", null);

    assertThat(driver.releaseUnclaimed(Duration.ZERO, MountUsers::hasOthers)).isZero();
    driver.put("box");
    assertThat(view).exists();
  }

  @Test
  void stayWhileAnotherNamespaceHasThemAndEndAfterwards() throws Exception {
    // As a container's root; the host's own mount table does not have it.
    Path root = Files.createDirectories(folder.resolve("root"));
    Process container =
        new ProcessBuilder(
                "unshare",
                "--mount",
                "sh",
                "-c",
                "mount --bind \"$0\" \"$1\" && umount \"$0\" && echo up && read end",
                view.toString(),
                root.toString())
            .start();
    assertThat(container.inputReader().readLine()).isEqualTo("up");

    assertThat(driver.releaseUnclaimed(Duration.ZERO, MountUsers::hasOthers)).isZero();
    container.getOutputStream().close();
    container.waitFor();

    assertThat(driver.releaseUnclaimed(Duration.ZERO, MountUsers::hasOthers)).isEqualTo(1);
    assertThat(view).doesNotExist();
  }
}
