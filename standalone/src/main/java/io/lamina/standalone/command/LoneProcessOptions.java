package io.lamina.standalone.command;

import io.lamina.standalone.LoneProcess;
import java.nio.file.Path;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** What the commands for single processes share. */
final class LoneProcessOptions {
  @Option(
      names = "--config",
      required = true,
      paramLabel = "FILE",
      description = "Settings, key = value lines; docs/operations.md lists the keys.")
  Path config = Path.of("lamina.properties");

  @Mixin Output output = new Output();

  int run(LoneProcess.Kind kind) throws InterruptedException {
    LoneProcess process = LoneProcess.start(kind, config, System.getenv());
    output.value(Output.JSON.createObjectNode().put("running", process.description()));
    output.line(process.description() + " is up; stop it with Ctrl-C");
    return Foreground.run(process, process.stopped());
  }
}
