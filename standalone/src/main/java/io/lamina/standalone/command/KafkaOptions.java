package io.lamina.standalone.command;

import io.lamina.standalone.KafkaAccess;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** Where the journal topic is. */
final class KafkaOptions {
  @Option(
      names = "--config",
      paramLabel = "FILE",
      description = "Settings of the pipeline's processes, which name the brokers.")
  @Nullable Path config;

  @Option(
      names = "--data",
      paramLabel = "DIR",
      description = "Data folder of 'lamina up', running or not: its own broker is used.")
  @Nullable Path data;

  KafkaAccess open() {
    if ((config == null) == (data == null)) {
      throw new CommandException(
          ExitCode.USAGE,
          "which brokers? Name either the settings file with --config or the data folder of"
              + " 'lamina up' with --data");
    }
    if (config != null) {
      return KafkaAccess.ofSettings(config, System.getenv());
    }
    try {
      return KafkaAccess.ofDataFolder(data.toAbsolutePath().normalize());
    } catch (IllegalStateException e) {
      throw new CommandException(ExitCode.REFUSED, String.valueOf(e.getMessage()));
    }
  }

  boolean areGiven() {
    return config != null || data != null;
  }
}
