package io.lamina.standalone.command;

import com.fasterxml.jackson.databind.JsonNode;
import io.lamina.standalone.client.GatewayClient;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Parameters;

/** Stops the work on a request. */
@Command(
    name = "cancel",
    description = "Stops the work on a conversion or commit; what is published stays published.",
    mixinStandardHelpOptions = true)
final class CancelCommand implements Callable<Integer> {
  @Parameters(paramLabel = "ID", description = "The request.")
  String id = "";

  @Mixin GatewayOptions gatewayOptions = new GatewayOptions();
  @Mixin Output output = new Output();

  @Override
  public Integer call() {
    try (GatewayClient gateway = gatewayOptions.client()) {
      JsonNode request = Requests.withPath(id, gateway::delete);
      output.value(request);
      output.line("cancelling " + StatusCommand.line(request));
      return 0;
    }
  }
}
