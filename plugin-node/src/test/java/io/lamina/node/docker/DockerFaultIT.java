package io.lamina.node.docker;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Path;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;

/** Processes that are killed, at every moment; what containers and images are afterwards. */
@NeedsDocker
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class DockerFaultIT {
  private final WorkFolder folder = WorkFolder.create();
  private final DockerHost host = DockerHost.withDriver(folder, Map.of());
  private final PluginProcess plugin = host.plugin();
  private DockerEngine engine;

  @BeforeAll
  void start() {
    engine = host.startEngine();
  }

  @BeforeEach
  void base() {
    engine.ok(TarArchive.busybox().toBytes(), "import", "-c", "CMD /bin/sh", "-", "base");
  }

  @AfterEach
  void leavesNothingBehind() {
    host.expectNothingLeft();
  }

  @AfterAll
  void stop() {
    host.close();
  }

  private String runBusy(String name) {
    return engine.ok(
        "run",
        "-d",
        "--name",
        name,
        "--stop-signal",
        "KILL",
        "--network",
        "none",
        "base",
        "sh",
        "-c",
        "echo own > /own; exec sleep 600");
  }

  @Test
  void containersRunOnWithoutTheDriverAndObeyOnceItIsBack() {
    runBusy("busy");
    Path root = Path.of("/proc", engine.ok("inspect", "-f", "{{.State.Pid}}", "busy"), "root");
    plugin.kill();
    assertThat(root.resolve("own")).hasContent("own");
    assertThat(engine.ok("ps", "--format", "{{.Names}} {{.State}}")).isEqualTo("busy running");

    plugin.startAgain();

    engine.ok("exec", "busy", "sh", "-c", "echo more >> /own");
    assertThat(new String(engine.docker("cp", "busy:/own", "-").expectSuccess().bytes()))
        .contains("own\nmore");
    assertThat(engine.ok("diff", "busy")).isEqualTo("A /own");
    assertThat(engine.ok("exec", "busy", "cat", "/own")).isEqualTo("own\nmore");
    engine.ok("restart", "-t", "0", "busy");
    assertThat(engine.ok("exec", "busy", "cat", "/own")).isEqualTo("own");
    engine.ok("kill", "busy");
    engine.ok("wait", "busy");
    assertThat(folder.mountsBelow(plugin.state())).isEmpty();
  }

  @Test
  void aDriverThatIsStoppedAndStartedGoesOnWithoutTheEnginesHelp() {
    runBusy("busy");

    plugin.stop();
    assertThat(plugin.socket()).doesNotExist();
    plugin.startAgain();

    assertThat(engine.run("base", "cat /etc/group")).isEqualTo("root:x:0:");
    assertThat(engine.ok("commit", "busy", "committed")).startsWith("sha256:");
  }

  @Test
  void anImportDuringWhichTheDriverDiesFailsAndCanBeRepeated() throws Exception {
    byte[] archive = TarArchive.busybox().file("large", 0644, new byte[24 << 20]).toBytes();
    Process importing = new ProcessBuilder(engine.command("import", "-", "large")).start();
    CompletableFuture<Boolean> fed = new CompletableFuture<>();
    Thread.ofVirtual()
        .start(
            () -> {
              try (OutputStream out = importing.getOutputStream()) {
                out.write(archive, 0, 8 << 20);
                out.flush();
                fed.complete(true);
              } catch (IOException e) {
                fed.completeExceptionally(e);
              }
            });
    fed.get(60, TimeUnit.SECONDS);

    plugin.kill();
    plugin.startAgain();

    assertThat(importing.waitFor(120, TimeUnit.SECONDS)).isTrue();
    assertThat(importing.exitValue()).isNotZero();
    assertThat(engine.ok(archive, "import", "-", "large")).startsWith("sha256:");
    assertThat(engine.run("large", "wc -c < /large")).isEqualTo("" + (24 << 20));
  }

  @Test
  void takesMountsAwayThatAKilledEngineLeft() {
    runBusy("busy");
    engine.kill();
    assertThat(folder.mountsBelow(plugin.state())).isNotEmpty();

    engine.startAgain();

    assertThat(engine.ok("ps", "-q")).isEmpty();
    assertThat(folder.mountsBelow(plugin.state())).isEmpty();
    engine.ok("start", "busy");
    assertThat(engine.ok("exec", "busy", "cat", "/own")).isEqualTo("own");
  }

  @Test
  void containersOutliveAKilledEngineThatRestoresThem() {
    engine = host.startEngine("--live-restore");
    String id = runBusy("busy");
    String merged = engine.ok("inspect", "-f", "{{.GraphDriver.Data.MergedDir}}", id);

    engine.kill();
    engine.startAgain();

    assertThat(engine.ok("ps", "-q", "--no-trunc")).isEqualTo(id);
    assertThat(engine.ok("inspect", "-f", "{{.GraphDriver.Data.MergedDir}}", id)).isEqualTo(merged);
    engine.ok("exec", "busy", "sh", "-c", "echo more >> /own");
    assertThat(new String(engine.docker("cp", "busy:/own", "-").expectSuccess().bytes()))
        .contains("own\nmore");

    plugin.kill();
    plugin.startAgain();
    engine.stop();
    engine.startAgain();
    assertThat(engine.ok("exec", "busy", "cat", "/own")).isEqualTo("own\nmore");
    engine.ok("rm", "-f", "busy");
    assertThat(folder.mountsBelow(plugin.state())).isEmpty();
    engine = host.startEngine();
  }

  @Test
  void bothKilledAtOnceComeBackWithAllImages() {
    runBusy("busy");
    engine.ok("commit", "busy", "committed");

    plugin.kill();
    engine.kill();
    plugin.startAgain();
    engine.startAgain();

    assertThat(engine.run("committed", "cat /own")).isEqualTo("own");
    engine.ok("start", "busy");
  }
}
