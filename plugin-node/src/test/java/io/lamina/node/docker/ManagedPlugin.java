package io.lamina.node.docker;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Assumptions;

/** The driver as a managed plugin, made by the script that operators use. */
final class ManagedPlugin {
  static final String NAME = "lamina";

  private ManagedPlugin() {}

  /**
   * Makes it.
   *
   * @return folder for {@code docker plugin create}
   */
  static Path build(Path folder) {
    Path libraries = Path.of("target/plugin/lib");
    Assumptions.assumeTrue(
        Files.isDirectory(libraries), "the module is not packaged: no " + libraries);
    Path script = Path.of("../deploy/plugin/build").toAbsolutePath().normalize();
    Commands.run(List.of(script.toString(), folder.toString())).expectSuccess();
    return folder;
  }

  /**
   * Starts an engine that has it as its storage driver: one on built-in storage takes it in first.
   *
   * @param settings as of the original client
   */
  static DockerEngine start(Path home, Path built, Path settings) {
    try (DockerEngine first = DockerEngine.start(home, "overlay2")) {
      first.ok("plugin", "create", NAME, built.toString());
      for (String mount : List.of("cvmfs_ext_config", "minio_ext_config", "cvmfs")) {
        first.ok("plugin", "set", NAME, mount + ".source=" + settings);
      }
      first.ok("plugin", "set", NAME, "LAMINA_PLUGIN_CVMFS_CACHE=256MiB");
      first.ok("plugin", "enable", NAME);
    }
    return DockerEngine.start(home, NAME);
  }
}
