package io.lamina.standalone.command;

import io.lamina.standalone.LoneProcess;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

/** Runs a publisher alone. */
@Command(
    name = "publisher",
    description = "Runs a publisher alone, against a real Kafka, in the foreground.",
    mixinStandardHelpOptions = true)
final class PublisherCommand implements Callable<Integer> {
  @Mixin LoneProcessOptions options = new LoneProcessOptions();

  @Override
  public Integer call() throws InterruptedException {
    return options.run(LoneProcess.Kind.PUBLISHER);
  }
}
