package io.lamina.node.docker;

import io.lamina.node.NodeMain;
import java.io.File;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.stream.Collectors;

/**
 * How the driver is started: with its classes loaded and linked beforehand, once for all tests of a
 * module, as tests start it many times. Where classes lie in folders it starts without.
 */
final class PluginCommand {
  private static final String CLASSES =
      Arrays.stream(System.getProperty("java.class.path").split(File.pathSeparator))
          .filter(entry -> !entry.endsWith("test-classes"))
          .collect(Collectors.joining(File.pathSeparator));

  /** Made when it is asked for first. */
  private static final class Cache {
    static final Optional<Path> FILE = make();

    private static Optional<Path> make() {
      try {
        List<Path> jars = Arrays.stream(CLASSES.split(File.pathSeparator)).map(Path::of).toList();
        StringBuilder state = new StringBuilder(System.getProperty("java.home"));
        for (Path jar : jars) {
          if (!Files.isRegularFile(jar)) {
            return Optional.empty();
          }
          state.append('\n').append(jar).append(Files.size(jar));
          state.append(' ').append(Files.getLastModifiedTime(jar));
        }
        String name = ImageArchive.sha256(state.toString().getBytes()).substring(0, 16);
        Path cache = Path.of("target", "plugin-" + name + ".aot").toAbsolutePath();
        return Files.exists(cache) || train(cache) ? Optional.of(cache) : Optional.empty();
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }

    private static boolean train(Path cache) throws IOException {
      Files.createDirectories(cache.getParent());
      Path fresh = Path.of(cache + ".new");
      try (WorkFolder folder = WorkFolder.create()) {
        Path settings = folder.path("plugin.properties");
        Files.writeString(
            settings,
            "plugin.name = check\nplugin.client = embedded\nplugin.state = "
                + folder.path("state")
                + "\nplugin.runtime = "
                + folder.path("run")
                + "\n");
        List<String> command = command(folder.path("."), List.of("-XX:AOTCacheOutput=" + fresh));
        command.addAll(List.of(settings.toString(), "--check"));
        if (Commands.run(command).exitCode() != 0 || !Files.exists(fresh)) {
          return false;
        }
      }
      Files.move(fresh, cache, StandardCopyOption.ATOMIC_MOVE);
      return true;
    }
  }

  private PluginCommand() {}

  /**
   * @param home gets the settings of its log
   */
  static List<String> of(Path home, Path settings) {
    List<String> more =
        Cache.FILE.map(file -> List.of("-XX:AOTCache=" + file, "-Xlog:aot=off")).orElse(List.of());
    List<String> command = command(home, more);
    command.add(settings.toString());
    return command;
  }

  private static List<String> command(Path home, List<String> more) {
    Path log = home.resolve("logback.xml");
    try (InputStream config = PluginCommand.class.getResourceAsStream("/logback-test.xml")) {
      Files.copy(Objects.requireNonNull(config), log, StandardCopyOption.REPLACE_EXISTING);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.addAll(
        List.of(
            "-Xmx256m",
            "-XX:+UseSerialGC",
            "-XX:TieredStopAtLevel=1",
            "--enable-native-access=ALL-UNNAMED",
            "--sun-misc-unsafe-memory-access=allow",
            "-Dlogback.configurationFile=" + log));
    command.addAll(more);
    command.addAll(List.of("-cp", CLASSES, NodeMain.class.getName()));
    return command;
  }
}
