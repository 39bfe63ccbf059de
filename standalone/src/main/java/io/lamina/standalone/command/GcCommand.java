package io.lamina.standalone.command;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.lamina.standalone.client.GatewayClient;
import io.lamina.standalone.client.RequestFollower;
import java.util.Map;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Asks a gateway to have a repository's garbage removed. */
@Command(
    name = "gc",
    description = {
      "Removes objects that no kept revision and no unfinished request refers to,",
      "once their grace period is over."
    },
    mixinStandardHelpOptions = true)
final class GcCommand implements Callable<Integer> {
  @Parameters(paramLabel = "REPO", description = "The repository.")
  String repository = "";

  @Option(names = "--dry-run", description = "Only count what would be removed.")
  boolean dryRun;

  @Option(names = "--wait", description = "Wait until it is done, and tell what was removed.")
  boolean wait;

  @Mixin GatewayOptions gatewayOptions = new GatewayOptions();
  @Mixin Output output = new Output();

  @Override
  public Integer call() {
    try (GatewayClient gateway = gatewayOptions.client()) {
      ObjectNode body = Output.JSON.createObjectNode().put("repository", repository);
      if (dryRun) {
        body.put("dryRun", true);
      }
      JsonNode request = gateway.post("/api/v1/collections", body, Map.of());
      if (wait) {
        request =
            new RequestFollower(gateway)
                .follow(request.path("links").path("self").asText(), latest -> {});
      }
      output.value(request);
      output.line(StatusCommand.line(request));
      return StatusCommand.exitCode(request).number();
    }
  }
}
