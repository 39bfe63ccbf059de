package io.lamina.standalone.command;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.lamina.standalone.client.GatewayClient;
import io.lamina.standalone.client.GatewayException;
import io.lamina.standalone.client.RequestFollower;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Asks a gateway to take images away. */
@Command(
    name = "remove",
    description = "Takes images away from a repository, with the layers that no other image needs.",
    mixinStandardHelpOptions = true)
final class RemoveCommand implements Callable<Integer> {
  @Parameters(
      arity = "0..*",
      paramLabel = "IMAGE",
      description = {
        "As it was converted; REGISTRY/REPO:* means all its tags and digests,",
        "/NAME the path of its link in the repository."
      })
  List<String> images = List.of();

  @Option(names = "--repo", required = true, paramLabel = "NAME", description = "The repository.")
  String repository = "";

  @Option(names = "--all", description = "Every image of the repository, instead of naming them.")
  boolean all;

  @Option(
      names = "--keep-trees",
      description =
          "Leave layers and merged trees where they are, for thin images that people hold.")
  boolean keepTrees;

  @Option(names = "--wait", description = "Wait until each is done.")
  boolean wait;

  @Mixin GatewayOptions gatewayOptions = new GatewayOptions();
  @Mixin Output output = new Output();

  @Override
  public Integer call() {
    if (all != images.isEmpty()) {
      throw new CommandException(
          ExitCode.USAGE, "name the images to remove, or say --all; not both and not neither");
    }
    try (GatewayClient gateway = gatewayOptions.client()) {
      List<JsonNode> accepted = new ArrayList<>();
      int worst = 0;
      for (ObjectNode body : bodies()) {
        try {
          accepted.add(gateway.post("/api/v1/removals", body, java.util.Map.of()));
        } catch (GatewayException e) {
          if (images.size() <= 1) {
            throw e;
          }
          output.note("lamina: " + body.path("image").asText() + ": " + e.getMessage());
          worst = Math.max(worst, ExitCode.of(e).number());
        }
      }
      for (JsonNode request : accepted) {
        JsonNode latest = wait ? end(gateway, request) : request;
        output.value(latest);
        output.line(StatusCommand.line(latest));
        worst = Math.max(worst, StatusCommand.exitCode(latest).number());
      }
      return worst;
    }
  }

  private static JsonNode end(GatewayClient gateway, JsonNode request) {
    return new RequestFollower(gateway)
        .follow(request.path("links").path("self").asText(), latest -> {});
  }

  private List<ObjectNode> bodies() {
    if (all) {
      return List.of(body().put("all", true));
    }
    return images.stream().map(image -> body().put("image", image)).toList();
  }

  private ObjectNode body() {
    ObjectNode body = Output.JSON.createObjectNode().put("repository", repository);
    return keepTrees ? body.put("keepTrees", true) : body;
  }
}
