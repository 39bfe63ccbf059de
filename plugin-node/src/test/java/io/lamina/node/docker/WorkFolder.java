package io.lamina.node.docker;

import io.lamina.linux.MountPoint;
import io.lamina.linux.MountTable;
import io.lamina.linux.Mounts;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;

/**
 * A folder of a short path for engines and drivers, on a file system that overlayfs can write to:
 * in memory where the temporary folder is an overlay itself. Nothing of it stays.
 */
public final class WorkFolder implements AutoCloseable {
  private final Path folder;

  private WorkFolder(Path folder) {
    this.folder = folder;
  }

  public static WorkFolder create() {
    try {
      Path folder = Files.createTempDirectory("lamina-dk").toRealPath();
      boolean isOverlay =
          MountTable.read().holding(folder).map(m -> m.type().equals("overlay")).orElse(false);
      if (isOverlay) {
        Commands.run(List.of("mount", "-t", "tmpfs", "lamina-test", folder.toString()))
            .expectSuccess();
      }
      return new WorkFolder(folder);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  public Path path(String name) {
    return folder.resolve(name);
  }

  /** A name that no other driver of this machine has. */
  public String driver() {
    return "lamina-" + folder.getFileName().toString().replaceAll("[^0-9]", "");
  }

  public List<String> mountsBelow(Path path) {
    return MountTable.read().below(path).stream().map(MountPoint::path).toList();
  }

  /** Commands of the processes that run in this folder. */
  List<String> processes() {
    return ProcessHandle.allProcesses()
        .map(process -> DockerEngine.commandLine(process.pid()))
        .filter(command -> command.contains(folder.toString()))
        .toList();
  }

  /** Names of the layers that the driver keeps, of all engines. */
  public List<String> layersOf(PluginProcess plugin) {
    try (Stream<Path> engines = Files.list(plugin.state().resolve("engines"))) {
      return engines
          .flatMap(
              engine -> {
                try (Stream<Path> layers = Files.list(engine.resolve("layers"))) {
                  return layers.map(layer -> layer.getFileName().toString()).toList().stream();
                } catch (IOException e) {
                  throw new UncheckedIOException(e);
                }
              })
          .toList();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  @Override
  public void close() {
    MountTable.read().below(folder).reversed().forEach(m -> Mounts.detach(Path.of(m.path())));
    Mounts.detach(folder);
    Commands.run(List.of("rm", "-rf", "--one-file-system", folder.toString())).expectSuccess();
  }
}
