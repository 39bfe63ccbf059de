package io.lamina.node.docker;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;

/**
 * The disk of the driver, or of the embedded client's cache, has no room: the engine's user is
 * told, nothing half-made stays, what runs goes on, and the same succeeds once there is room.
 */
@NeedsDocker
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class DiskFullIT {
  private static final int LARGE_BYTES = 24 << 20;
  private static final String FULL = "No space left";

  /** Records of layers and folders. */
  private static final long SMALL_BYTES = 256 << 10;

  private final WorkFolder folder = WorkFolder.create();
  private final SmallDisk disk = SmallDisk.at(folder.path("disk"), 96 << 20);
  private final SmallDisk cache =
      SmallDisk.at(folder.path("disk/state/cvmfs/cache"), ThinRepository.LARGE_BYTES + (2 << 20));
  private final ThinRepository repository = new ThinRepository();
  private final DockerHost host =
      DockerHost.withDriver(
          folder,
          Map.of(
              "plugin.state",
              folder.path("disk/state").toString(),
              "plugin.client",
              "embedded",
              "plugin.repository." + ThinRepository.NAME,
              repository.server().url() + "," + repository.key(folder.path("key.pub"))));
  private final PluginProcess plugin = host.plugin();
  private DockerEngine engine;

  DiskFullIT() throws IOException {}

  @BeforeAll
  void start() {
    engine = host.startEngine();
  }

  @BeforeEach
  void runBusy() {
    engine.ok(TarArchive.busybox().toBytes(), "import", "-c", "CMD /bin/sh", "-", "base");
    run("busy", "base", "echo own > /own; exec sleep 600");
  }

  @AfterEach
  void leavesNothingBehind() {
    disk.free();
    cache.free();
    engine.removeContainers();
    engine.ok("system", "prune", "-a", "-f", "--volumes");
    assertThat(folder.layersOf(plugin)).isEmpty();
  }

  @AfterAll
  void stop() {
    try {
      host.close();
    } finally {
      repository.close();
    }
  }

  private void run(String name, String image, String script) {
    engine.ok(
        "run",
        "-d",
        "--name",
        name,
        "--network",
        "none",
        "--stop-signal",
        "KILL",
        image,
        "sh",
        "-c",
        script);
  }

  private static byte[] large() {
    byte[] content = new byte[LARGE_BYTES];
    new Random(3).nextBytes(content);
    return TarArchive.busybox().file("large", 0644, content).toBytes();
  }

  private void expectBusyToLive() {
    assertThat(engine.ok("exec", "busy", "cat", "/own", "/etc/group")).isEqualTo("own\nroot:x:0:");
  }

  /** What is removed is deleted in the background. */
  private void expectRoom(long bytes) {
    long deadline = System.nanoTime() + Duration.ofSeconds(60).toNanos();
    while (disk.freeBytes() < bytes - SMALL_BYTES && System.nanoTime() < deadline) {
      DockerEngine.pause();
    }
    assertThat(disk.freeBytes()).isGreaterThanOrEqualTo(bytes - SMALL_BYTES);
  }

  @Test
  void anArchiveThatDoesNotFitLeavesNothingAndFitsOnceThereIsRoom() {
    byte[] archive = large();
    List<String> layers = folder.layersOf(plugin);
    disk.fill(LARGE_BYTES / 2);
    long free = disk.freeBytes();

    Commands.Result refused = engine.docker(archive, "import", "-", "large");

    assertThat(refused.exitCode()).isNotZero();
    assertThat(refused.errors()).containsIgnoringCase(FULL);
    assertThat(folder.layersOf(plugin)).containsExactlyInAnyOrderElementsOf(layers);
    expectRoom(free);
    expectBusyToLive();
    disk.free();
    assertThat(engine.ok(archive, "import", "-", "large")).startsWith("sha256:");
    assertThat(engine.run("large", "wc -c < /large")).isEqualTo("" + LARGE_BYTES);
  }

  @Test
  void aContainerThatCannotBeMadeLeavesNothing() {
    List<String> layers = folder.layersOf(plugin);
    disk.fill(0);

    Commands.Result refused = engine.docker("create", "--name", "one", "base");

    assertThat(refused.exitCode()).isNotZero();
    assertThat(refused.errors()).containsIgnoringCase(FULL);
    assertThat(folder.layersOf(plugin)).containsExactlyInAnyOrderElementsOf(layers);
    expectBusyToLive();
    assertThat(engine.docker("exec", "busy", "sh", "-c", "echo more > /more").errors())
        .containsIgnoringCase(FULL);
    disk.free();
    assertThat(engine.run("base", "cat /etc/group")).isEqualTo("root:x:0:");
    engine.ok("exec", "busy", "sh", "-c", "echo more > /more");
  }

  @Test
  void aCommitThatDoesNotFitCanBeRepeated() {
    engine.ok(
        "run",
        "--name",
        "one",
        "--network",
        "none",
        "base",
        "sh",
        "-c",
        "head -c " + LARGE_BYTES + " /dev/urandom > /large; echo one > /one");
    List<String> layers = folder.layersOf(plugin);
    disk.fill(LARGE_BYTES / 2);
    long free = disk.freeBytes();

    Commands.Result refused = engine.docker("commit", "one", "committed");

    assertThat(refused.exitCode()).isNotZero();
    assertThat(refused.errors()).containsIgnoringCase(FULL);
    assertThat(engine.docker("image", "inspect", "committed").exitCode()).isNotZero();
    assertThat(folder.layersOf(plugin)).containsExactlyInAnyOrderElementsOf(layers);
    expectRoom(free);
    expectBusyToLive();
    disk.free();
    engine.ok("commit", "one", "committed");
    assertThat(engine.run("committed", "cat /one; wc -c < /large"))
        .isEqualTo("one\n" + LARGE_BYTES);
  }

  @Test
  void aFileThatTheCacheHasNoRoomForIsAnErrorUntilThereIs() {
    engine.ok(ThinRepository.image("thin:1", "base", "top"), "load");
    run("thin", "thin:1", "exec sleep 600");
    // The kernel keeps it: what the shell does must not depend on the cache.
    engine.ok("exec", "thin", "wc", "-c", "/bin/busybox");
    cache.fill(SMALL_BYTES);

    Commands.Result failed = engine.docker("exec", "thin", "wc", "-c", "/large");

    assertThat(failed.exitCode()).isNotZero();
    assertThat(failed.out() + failed.errors()).containsIgnoringCase(FULL);
    assertThat(plugin.lastLog()).containsIgnoringCase(FULL).contains("cvmfs/cache");
    assertThat(engine.ok("exec", "thin", "cat", "/etc/kept", "/etc/added"))
        .isEqualTo("kept\nadded");
    expectBusyToLive();
    cache.free();
    assertThat(engine.ok("exec", "thin", "wc", "-c", "/large"))
        .startsWith("" + ThinRepository.LARGE_BYTES);
  }
}
