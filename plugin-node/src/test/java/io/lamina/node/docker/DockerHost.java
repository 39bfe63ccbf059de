package io.lamina.node.docker;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * A Docker host: a driver in a process of its own, and an engine on it. When it is closed nothing
 * of either may be left: no mount, no process, no socket.
 */
public final class DockerHost implements AutoCloseable {
  private static final Duration PATIENCE = Duration.ofSeconds(60);

  private final WorkFolder folder;
  private final List<String> mountsBefore;
  private final PluginProcess plugin;
  private Optional<DockerEngine> engine = Optional.empty();

  private DockerHost(WorkFolder folder, List<String> mountsBefore, PluginProcess plugin) {
    this.folder = folder;
    this.mountsBefore = mountsBefore;
    this.plugin = plugin;
  }

  /**
   * Starts the driver alone.
   *
   * @param folder removed with the host, with all that is mounted in it already
   * @param settings besides name and folders
   */
  public static DockerHost withDriver(WorkFolder folder, Map<String, String> settings) {
    try {
      return new DockerHost(
          folder,
          folder.mountsBelow(folder.path("")),
          PluginProcess.start(folder.path("plugin"), folder.driver(), settings));
    } catch (RuntimeException | AssertionError e) {
      folder.close();
      throw e;
    }
  }

  public PluginProcess plugin() {
    return plugin;
  }

  /** Starts an engine, or stops the one that runs and starts it with other options. */
  public DockerEngine startEngine(String... options) {
    engine.ifPresent(DockerEngine::stop);
    DockerEngine started = DockerEngine.start(folder.path("engine"), plugin.name(), options);
    engine = Optional.of(started);
    return started;
  }

  /** Removes all containers and images; the driver must have nothing then. */
  public void expectNothingLeft() {
    DockerEngine running = engine.orElseThrow();
    running.removeContainers();
    running.ok("system", "prune", "-a", "-f", "--volumes");
    assertThat(folder.mountsBelow(plugin.state())).as("mounts of the driver").isEmpty();
    assertThat(folder.layersOf(plugin)).as("layers of the driver").isEmpty();
  }

  @Override
  public void close() {
    List<String> left = new ArrayList<>();
    try (WorkFolder removed = folder) {
      try {
        engine.ifPresent(DockerEngine::close);
      } finally {
        plugin.close();
      }
      left.addAll(removed.mountsBelow(removed.path("engine")));
      // An engine that was killed once keeps its folder mounted on itself.
      left.remove(removed.path("engine/root").toString());
      left.addAll(removed.mountsBelow(plugin.state()));
      left.removeAll(mountsBefore);
      left.addAll(processesAfterAWhile());
      if (Files.exists(plugin.socket())) {
        left.add(plugin.socket().toString());
      }
    }
    assertThat(left).as("what engine and driver left behind").isEmpty();
  }

  /** Shims end by themselves, soon after their engine. */
  private List<String> processesAfterAWhile() {
    long deadline = System.nanoTime() + PATIENCE.toNanos();
    List<String> processes = folder.processes();
    while (!processes.isEmpty() && System.nanoTime() < deadline) {
      DockerEngine.pause();
      processes = folder.processes();
    }
    return processes;
  }
}
