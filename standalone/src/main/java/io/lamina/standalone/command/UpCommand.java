package io.lamina.standalone.command;

import io.lamina.settings.Settings;
import io.lamina.standalone.EmbeddedLamina;
import io.lamina.standalone.EmbeddedSettings;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Runs everything in one process, in the foreground. */
@Command(
    name = "up",
    description =
        "Runs broker, gateway, converter and publisher in this process, in the foreground.",
    mixinStandardHelpOptions = true)
final class UpCommand implements Callable<Integer> {
  @Option(
      names = "--port",
      paramLabel = "N",
      description = "Of the gateway, on loopback; 0 for any free one (default: 8080).")
  @Nullable Integer port;

  @Option(
      names = "--config",
      paramLabel = "FILE",
      description =
          "Settings of gateway, converter and publisher, key = value lines; docs/operations.md lists"
              + " the keys.")
  @Nullable Path config;

  @Option(
      names = "--thin-allow",
      paramLabel = "PATTERN",
      description =
          "Where thin images may be pushed besides registries of this machine, such as"
              + " registry.example.org/thin/*; may be repeated.")
  List<String> thinAllow = List.of();

  @Mixin DataFolderOption data = new DataFolderOption();
  @Mixin Output output = new Output();

  private EmbeddedSettings settings() {
    Settings text =
        config == null
            ? Settings.of("lamina up", Map.of())
            : Settings.read(config, System.getenv());
    Map<String, String> said = new TreeMap<>();
    if (port != null) {
      said.put("gateway.listen.port", port.toString());
    }
    if (!thinAllow.isEmpty()) {
      said.put("thin.allow", EmbeddedSettings.THIN_TARGETS + "," + String.join(",", thinAllow));
    }
    for (String key : said.keySet()) {
      if (text.text(key).isPresent()) {
        throw new CommandException(
            ExitCode.USAGE, "'" + key + "' is in " + config + " too; say it once");
      }
    }
    return EmbeddedSettings.from(data.absolute(), text.withDefaults(said), System.getenv());
  }

  @Override
  public Integer call() throws InterruptedException {
    EmbeddedLamina lamina = EmbeddedLamina.start(settings());
    output.value(
        Output.JSON
            .createObjectNode()
            .put("address", lamina.address().toString())
            .put("data", data.absolute().toString()));
    output.line("lamina is up at " + lamina.address() + ", data in " + data.absolute());
    output.line("stop it with Ctrl-C");
    return Foreground.run(lamina, new CompletableFuture<>());
  }
}
