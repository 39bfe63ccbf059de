package io.lamina.standalone.command;

import io.lamina.standalone.LoneProcess;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

/** Runs a gateway alone. */
@Command(
    name = "gateway",
    description = "Runs a gateway alone, against a real Kafka, in the foreground.",
    mixinStandardHelpOptions = true)
final class GatewayCommand implements Callable<Integer> {
  @Mixin LoneProcessOptions options = new LoneProcessOptions();

  @Override
  public Integer call() throws InterruptedException {
    return options.run(LoneProcess.Kind.GATEWAY);
  }
}
