package io.lamina.standalone.command;

import io.lamina.standalone.EmbeddedLamina;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
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
      defaultValue = "8080",
      description = "Of the gateway, on loopback; 0 for any free one (default ${DEFAULT-VALUE}).")
  int port = 8080;

  @Mixin DataFolderOption data = new DataFolderOption();
  @Mixin Output output = new Output();

  @Override
  public Integer call() throws InterruptedException {
    EmbeddedLamina lamina = EmbeddedLamina.start(data.absolute(), port);
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
