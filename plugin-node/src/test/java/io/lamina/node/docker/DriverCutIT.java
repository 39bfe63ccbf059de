package io.lamina.node.docker;

import static org.assertj.core.api.Assertions.assertThat;

import io.lamina.node.docker.CutLink.Moment;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** The driver dies at each call that an engine makes; the engine's command can be repeated. */
@NeedsDocker
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class DriverCutIT {
  private static final byte[] OTHER = TarArchive.busybox().file("other", 0644, "other").toBytes();

  private final WorkFolder folder = WorkFolder.create();
  private final DockerHost host =
      DockerHost.withDriver(
          folder, Map.of("plugin.socket", folder.path("driver/driver.sock").toString()));
  private final PluginProcess plugin = host.plugin();
  private final CutLink link =
      new CutLink(PluginProcess.engineSocket(plugin.name()), plugin.socket());
  private DockerEngine engine;

  @BeforeAll
  void start() {
    engine = host.startEngine();
    engine.ok(TarArchive.busybox().toBytes(), "import", "-c", "CMD /bin/sh", "-", "base");
  }

  @AfterAll
  void stop() {
    try {
      host.close();
    } finally {
      link.close();
    }
  }

  private void restartDriver() {
    plugin.kill();
    plugin.startAgain();
  }

  /** What only reads is cut once; an archive that is cut in its middle is a matter of its own. */
  static List<Arguments> callsAndCommands() {
    List<Arguments> cases = new ArrayList<>();
    for (Moment moment : Moment.values()) {
      cases.add(Arguments.of("Create", moment, List.of("import", "-", "other")));
      cases.add(
          Arguments.of("CreateReadWrite", moment, List.of("create", "--name", "two", "base")));
      cases.add(Arguments.of("Get", moment, List.of("start", "one")));
      cases.add(Arguments.of("Put", moment, List.of("cp", "one:/own", "-")));
      cases.add(Arguments.of("Diff", moment, List.of("commit", "one", "other")));
      cases.add(Arguments.of("Remove", moment, List.of("rm", "one")));
    }
    Moment done = Moment.BEFORE_THE_ANSWER;
    cases.add(Arguments.of("ApplyDiff", done, List.of("import", "-", "other")));
    cases.add(Arguments.of("Changes", done, List.of("diff", "one")));
    cases.add(Arguments.of("DiffSize", done, List.of("ps", "-s", "-a")));
    cases.add(Arguments.of("GetMetadata", done, List.of("inspect", "one")));
    return cases;
  }

  @ParameterizedTest(name = "{0} {1}")
  @MethodSource("callsAndCommands")
  void aCommandWhoseCallWasCutCanBeRepeated(String call, Moment moment, List<String> command) {
    engine.ok("run", "--name", "one", "--network", "none", "base", "sh", "-c", "echo own > /own");
    link.cutAt("/GraphDriver." + call, moment, this::restartDriver);

    Commands.Result cut = engine.docker(OTHER, command.toArray(String[]::new));
    assertThat(link.hasCut()).as("the engine made the call").isTrue();
    if (cut.exitCode() != 0) {
      repeat(command);
    }

    if (!call.equals("Remove")) {
      assertThat(engine.docker("cp", "one:/own", "-").expectSuccess().out()).contains("own");
      assertThat(engine.ok("diff", "one")).isEqualTo("A /own");
    }
    if (command.contains("other")) {
      String file = command.contains("commit") ? "own" : "other";
      assertThat(engine.run("other", "cat /" + file)).isEqualTo(file);
    }
    assertThat(engine.run("base", "cat /etc/group; ls /own /other || true")).isEqualTo("root:x:0:");
  }

  /** What a command that failed has done is in the way of some. */
  private void repeat(List<String> command) {
    Commands.Result again = engine.docker(OTHER, command.toArray(String[]::new));
    if (again.exitCode() != 0) {
      assertThat(again.errors())
          .as(String.join(" ", command) + "\n" + plugin.lastLog())
          .containsAnyOf("No such container", "is already in use by container");
    }
  }

  /** A layer that nobody was told of stays; it is empty, and nothing is mounted. */
  @AfterEach
  void leavesNothingOfUse() {
    engine.docker("rm", "-f", "one", "two");
    if (!engine.ok("images", "-q", "other").isEmpty()) {
      engine.ok("rmi", "other");
    }
    assertThat(folder.mountsBelow(plugin.state())).isEmpty();
    String base = layerOf("base");
    for (String layer : folder.layersOf(plugin)) {
      if (!layer.equals(base)) {
        assertThat(filesOf(layer)).as("files of layer " + layer).isEmpty();
      }
    }
  }

  private String layerOf(String name) {
    String upper = engine.ok("inspect", "-f", "{{.GraphDriver.Data.UpperDir}}", name);
    Path path = Path.of(upper);
    return path.getName(path.getNameCount() - 2).toString();
  }

  private List<String> filesOf(String layer) {
    try (Stream<Path> engines = Files.list(plugin.state().resolve("engines"))) {
      Path diff = engines.findFirst().orElseThrow().resolve("layers").resolve(layer + "/diff");
      try (Stream<Path> files = Files.walk(diff)) {
        return files.filter(Files::isRegularFile).map(Path::toString).toList();
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  @Test
  void anEngineThatStartsOrStopsMeanwhileStartsAgain() {
    for (String call : List.of("/GraphDriver.Cleanup", "/Plugin.Activate", "/GraphDriver.Init")) {
      for (Moment moment : Moment.values()) {
        link.cutAt(call, moment, this::restartDriver);

        engine.stop();
        try {
          engine.startAgain();
        } catch (AssertionError refused) {
          // Its introduction was repeated without a body, so it did not start.
          assertThat(refused).hasMessageContaining("Init");
          engine.startAgain();
        }

        assertThat(link.hasCut()).as(call).isTrue();
        assertThat(engine.run("base", "cat /etc/group")).isEqualTo("root:x:0:");
      }
    }
  }
}
