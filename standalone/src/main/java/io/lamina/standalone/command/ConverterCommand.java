package io.lamina.standalone.command;

import io.lamina.standalone.LoneProcess;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

/** Runs a converter alone. */
@Command(
    name = "converter",
    description = "Runs a converter alone, against a real Kafka, in the foreground.",
    mixinStandardHelpOptions = true)
final class ConverterCommand implements Callable<Integer> {
  @Mixin LoneProcessOptions options = new LoneProcessOptions();

  @Override
  public Integer call() throws InterruptedException {
    return options.run(LoneProcess.Kind.CONVERTER);
  }
}
