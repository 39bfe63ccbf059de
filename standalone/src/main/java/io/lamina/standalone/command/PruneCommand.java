package io.lamina.standalone.command;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.lamina.standalone.client.GatewayClient;
import io.lamina.standalone.client.RequestFollower;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Asks a gateway to take away the images that a rule does not keep. */
@Command(
    name = "prune",
    description = {
      "Takes away old images: all whose names match, but the latest of each name",
      "and those that are young; with the layers that no other image needs."
    },
    mixinStandardHelpOptions = true)
final class PruneCommand implements Callable<Integer> {
  private static final Pattern AGE = Pattern.compile("([0-9]{1,9})([smhd])");

  @Parameters(paramLabel = "REPO", description = "The repository.")
  String repository = "";

  @Option(
      names = "--matching",
      paramLabel = "PATTERN",
      description = "Only images of these names, as in the repository; * stands for anything.")
  @Nullable String matching;

  @Option(
      names = "--keep-last",
      paramLabel = "N",
      description = "Of each name keep the N tags that were published latest.")
  @Nullable Integer keepLast;

  @Option(
      names = "--newer-than",
      paramLabel = "AGE",
      description = "Keep what was published within this time: 90s, 15m, 12h, 30d.")
  @Nullable String newerThan;

  @Option(names = "--dry-run", description = "Only tell what would go; implies --wait.")
  boolean dryRun;

  @Option(names = "--wait", description = "Wait until it is done, and tell what went.")
  boolean wait;

  @Mixin GatewayOptions gatewayOptions = new GatewayOptions();
  @Mixin Output output = new Output();

  @Override
  public Integer call() {
    if (keepLast == null && newerThan == null) {
      throw new CommandException(
          ExitCode.USAGE, "say what stays: --keep-last N, --newer-than AGE, or both");
    }
    ObjectNode body = Output.JSON.createObjectNode().put("repository", repository);
    if (matching == null) {
      body.put("all", true);
    } else {
      body.put("image", matching);
    }
    if (keepLast != null) {
      body.put("keepLast", keepLast);
    }
    if (newerThan != null) {
      body.put("newerThan", age(newerThan).toSeconds());
    }
    if (dryRun) {
      body.put("dryRun", true);
    }
    try (GatewayClient gateway = gatewayOptions.client()) {
      JsonNode request = gateway.post("/api/v1/removals", body, Map.of());
      if (wait || dryRun) {
        request =
            new RequestFollower(gateway)
                .follow(request.path("links").path("self").asText(), latest -> {});
      }
      output.value(request);
      output.line(StatusCommand.line(request));
      return StatusCommand.exitCode(request).number();
    }
  }

  private static Duration age(String text) {
    Matcher matcher = AGE.matcher(text);
    if (!matcher.matches()) {
      throw new CommandException(
          ExitCode.USAGE, "not an age such as 90s, 15m, 12h or 30d: '" + text + "'");
    }
    long count = Long.parseLong(matcher.group(1));
    return switch (matcher.group(2)) {
      case "s" -> Duration.ofSeconds(count);
      case "m" -> Duration.ofMinutes(count);
      case "h" -> Duration.ofHours(count);
      default -> Duration.ofDays(count);
    };
  }
}
