package io.lamina.standalone.command;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.lamina.image.ImageReference;
import io.lamina.standalone.client.GatewayClient;
import io.lamina.standalone.client.GatewayException;
import io.lamina.standalone.client.RequestFollower;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Asks a gateway to convert and publish images. */
@Command(
    name = "convert",
    description = "Converts images and publishes them in a repository.",
    mixinStandardHelpOptions = true)
final class ConvertCommand implements Callable<Integer> {
  private static final int TOO_MANY_REQUESTS = 429;
  private static final Duration USUAL_WAIT = Duration.ofSeconds(5);

  @Parameters(
      arity = "1..*",
      paramLabel = "IMAGE",
      description = {
        "[docker://]REGISTRY/REPO[:TAG][@DIGEST], oci:DIR[:REF], oci-archive:FILE[:REF],",
        "docker-archive:FILE[:REF]; folders and files are read by the converter, not by this command."
      })
  List<String> images = List.of();

  @Option(names = "--repo", required = true, paramLabel = "NAME", description = "The repository.")
  String repository = "";

  @Option(
      names = "--platform",
      paramLabel = "OS/ARCH[/VARIANT]",
      split = ",",
      description =
          "Platforms to publish (default: linux/amd64); several give a multi-architecture link.")
  List<String> platforms = List.of();

  @Option(
      names = "--thin",
      paramLabel = "REF",
      description = "Push the thin image to this registry reference; with one IMAGE only.")
  @Nullable String thin;

  @Option(
      names = "--bulk",
      description = {
        "One of very many, such as those of a mirror: others go before it. While the gateway has",
        "too much to do, the command waits."
      })
  boolean bulk;

  @Option(names = "--wait", description = "Wait until every image is done; show progress.")
  boolean wait;

  @Option(
      names = "--idempotency-key",
      paramLabel = "KEY",
      description =
          "Sending the same request again under the same key has no further effect; one IMAGE only.")
  @Nullable String idempotencyKey;

  @Mixin GatewayOptions gatewayOptions = new GatewayOptions();
  @Mixin Output output = new Output();

  @Override
  public Integer call() {
    if (images.size() > 1 && (thin != null || idempotencyKey != null)) {
      throw new CommandException(
          ExitCode.USAGE,
          "--thin and --idempotency-key go with one IMAGE, not with " + images.size());
    }
    try (GatewayClient gateway = gatewayOptions.client()) {
      List<JsonNode> accepted = new ArrayList<>();
      int worst = 0;
      for (String image : images) {
        try {
          JsonNode request = ask(gateway, image);
          accepted.add(request);
          if (!wait) {
            report(request);
          }
        } catch (GatewayException e) {
          if (images.size() == 1) {
            throw e;
          }
          output.note("lamina: " + image + ": " + e.getMessage());
          worst = Math.max(worst, ExitCode.of(e).number());
        }
      }
      for (JsonNode request : wait ? accepted : List.<JsonNode>of()) {
        worst = Math.max(worst, waitFor(gateway, request).number());
      }
      return worst;
    }
  }

  /** What is refused for want of room had no effect; whoever brings very many images has time. */
  private JsonNode ask(GatewayClient gateway, String image) {
    while (true) {
      try {
        return gateway.post("/api/v1/conversions", body(image), headers());
      } catch (GatewayException e) {
        if (!bulk || e.status() != TOO_MANY_REQUESTS) {
          throw e;
        }
        Duration wait = e.retryAfter().orElse(USUAL_WAIT);
        output.note("lamina: %s waits %d s: %s".formatted(image, wait.toSeconds(), e.getMessage()));
        sleep(wait);
      }
    }
  }

  private static void sleep(Duration length) {
    try {
      TimeUnit.NANOSECONDS.sleep(length.toNanos());
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new CommandException(
          ExitCode.FAILED, "interrupted while the gateway had too much to do");
    }
  }

  private ExitCode waitFor(GatewayClient gateway, JsonNode request) {
    ProgressBar bar = new ProgressBar(output.out());
    JsonNode end =
        new RequestFollower(gateway)
            .follow(
                request.path("links").path("self").asText(),
                latest -> {
                  if (!output.isJson()) {
                    bar.show(latest);
                  }
                });
    bar.finish();
    report(end);
    return StatusCommand.exitCode(end);
  }

  private void report(JsonNode request) {
    output.value(request);
    output.line(StatusCommand.line(request));
  }

  private ObjectNode body(String image) {
    ObjectNode body = Output.JSON.createObjectNode();
    body.put("image", absolute(ImageReference.parse(image)).canonical());
    body.put("repository", repository);
    if (!platforms.isEmpty()) {
      ArrayNode list = body.putArray("platforms");
      platforms.forEach(list::add);
    }
    if (bulk) {
      body.put("priority", "bulk");
    }
    Optional.ofNullable(thin).ifPresent(target -> body.put("thin", target));
    return body;
  }

  /** A folder or file that is named relative to where the command was typed. */
  private static ImageReference absolute(ImageReference reference) {
    return switch (reference) {
      case ImageReference.Registry registry -> registry;
      case ImageReference.OciLayout(Path folder, var ref) ->
          new ImageReference.OciLayout(folder.toAbsolutePath().normalize(), ref);
      case ImageReference.OciArchive(Path file, var ref) ->
          new ImageReference.OciArchive(file.toAbsolutePath().normalize(), ref);
      case ImageReference.DockerArchive(Path file, var ref) ->
          new ImageReference.DockerArchive(file.toAbsolutePath().normalize(), ref);
    };
  }

  private Map<String, String> headers() {
    return idempotencyKey == null ? Map.of() : Map.of("Idempotency-Key", idempotencyKey);
  }
}
