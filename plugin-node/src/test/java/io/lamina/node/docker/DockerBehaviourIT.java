package io.lamina.node.docker;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.FutureTask;
import org.assertj.core.api.SoftAssertions;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;

/** The built-in storage of the engine is what ours is measured by, as a socket and as a plugin. */
@NeedsDocker
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class DockerBehaviourIT {
  private final WorkFolder folder = WorkFolder.create();

  /** While ours are looked at. */
  private final FutureTask<Map<String, String>> builtIn =
      new FutureTask<>(this::lookAtTheBuiltInDriver);

  @BeforeAll
  void start() {
    Thread.ofPlatform().daemon().name("built-in-driver").start(builtIn);
  }

  private Map<String, String> lookAtTheBuiltInDriver() throws IOException {
    try (DockerEngine engine = DockerEngine.start(folder.path("theirs"), "overlay2")) {
      return Behaviour.of(engine, folder.path("scratch-theirs"));
    }
  }

  @AfterAll
  void remove() throws Exception {
    try {
      builtIn.get();
    } finally {
      folder.close();
    }
  }

  private void expectTheSame(Map<String, String> ours) throws Exception {
    Map<String, String> theirs = builtIn.get();
    assertThat(theirs.get("files of the container")).contains("a/new").contains("zeros");
    assertThat(ours.keySet()).isEqualTo(theirs.keySet());
    SoftAssertions all = new SoftAssertions();
    theirs.forEach(
        (what, result) -> {
          String seen = ours.getOrDefault(what, "");
          all.assertThat(Behaviour.difference(seen, result)).as(what).isEmpty();
          all.assertThat(seen.length()).as("length of " + what).isEqualTo(result.length());
        });
    all.assertAll();
  }

  @Test
  void showsTheSameAsTheBuiltInDriver() throws Exception {
    Map<String, String> ours;
    try (PluginProcess plugin =
        PluginProcess.start(folder.path("plugin"), folder.driver(), Map.of())) {
      try (DockerEngine engine = DockerEngine.start(folder.path("ours"), plugin.name())) {
        ours = Behaviour.of(engine, folder.path("scratch-ours"));
        assertThat(folder.mountsBelow(plugin.state())).isEmpty();
      }
      assertThat(folder.layersOf(plugin)).isEmpty();
    }

    expectTheSame(ours);
  }

  @Test
  void showsTheSameAsAManagedPluginAndRunsThinImages() throws Exception {
    Path built = ManagedPlugin.build(folder.path("managed"));
    Path settings = Files.createDirectories(folder.path("cvmfs"));
    Files.createDirectories(settings.resolve("config.d"));
    Files.createDirectories(settings.resolve("keys"));
    Map<String, String> ours;
    try (ThinRepository thin = new ThinRepository()) {
      Files.writeString(
          settings.resolve("config.d/" + ThinRepository.NAME + ".conf"),
          "CVMFS_SERVER_URL=" + thin.server().url() + "\n");
      thin.key(settings.resolve("keys/" + ThinRepository.NAME + ".pub"));

      try (DockerEngine engine = ManagedPlugin.start(folder.path("engine"), built, settings)) {
        ours = Behaviour.of(engine, folder.path("scratch-managed"));
        engine.ok(ThinRepository.image("thin:1", "base", "top"), "load");
        assertThat(engine.run("thin:1", "cat /etc/kept /etc/added; ls /etc/gone || true"))
            .isEqualTo("kept\nadded");
        engine.ok(TarArchive.busybox().toBytes(), "import", "-c", "CMD /bin/sh", "-", "base");
        engine.ok("run", "-d", "--name", "busy", "--network", "none", "base", "sleep", "600");

        endPlugin(engine);

        engine.ok("exec", "busy", "sh", "-c", "echo own > /own");
        assertThat(engine.ok("diff", "busy")).isEqualTo("A /own");
        assertThat(engine.run("thin:1", "cat /etc/added")).isEqualTo("added");
        engine.ok("rm", "-f", "busy");
        assertThat(engine.docker("plugin", "disable", ManagedPlugin.NAME).errors())
            .contains("in use");
      }
    }
    assertThat(folder.mountsBelow(folder.path("engine"))).isEmpty();

    expectTheSame(ours);
  }

  /** As a defect would; the engine starts it again. */
  private static void endPlugin(DockerEngine engine) {
    List<ProcessHandle> plugins = engine.processesOfContainers("io.lamina.node.NodeMain");
    assertThat(plugins).hasSize(1);
    plugins.getFirst().destroyForcibly();
    plugins.getFirst().onExit().join();
  }
}
