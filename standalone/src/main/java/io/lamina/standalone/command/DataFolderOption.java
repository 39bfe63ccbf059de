package io.lamina.standalone.command;

import java.nio.file.Path;
import picocli.CommandLine.Option;

/** The data folder of a server on this machine. */
final class DataFolderOption {
  @Option(
      names = "--data",
      paramLabel = "DIR",
      defaultValue = "${env:LAMINA_DATA:-lamina-data}",
      description = "Data folder (environment LAMINA_DATA; default ${DEFAULT-VALUE}).")
  Path folder = Path.of("lamina-data");

  Path absolute() {
    return folder.toAbsolutePath().normalize();
  }
}
