package io.lamina.standalone.command;

import com.fasterxml.jackson.databind.JsonNode;
import io.lamina.standalone.client.GatewayClient;
import io.lamina.standalone.client.RequestFollower;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Shows requests: all of them, or one and how far it is. */
@Command(
    name = "status",
    description = "Shows requests (conversions and commits), newest first, or one of them.",
    mixinStandardHelpOptions = true)
final class StatusCommand implements Callable<Integer> {
  @Parameters(arity = "0..1", paramLabel = "ID", description = "One request.")
  @Nullable String id;

  @Option(
      names = "--follow",
      description = "Stay until the request is final (with ID), or for ever.")
  boolean follow;

  @Option(names = "--state", paramLabel = "STATE", description = "Only requests in this state.")
  @Nullable String state;

  @Option(names = "--repo", paramLabel = "NAME", description = "Only requests for this repository.")
  @Nullable String repository;

  @Option(
      names = "--limit",
      paramLabel = "N",
      defaultValue = "50",
      description = "At most so many requests (default ${DEFAULT-VALUE}).")
  int limit = 50;

  @Mixin GatewayOptions gatewayOptions = new GatewayOptions();
  @Mixin Output output = new Output();

  @Override
  public Integer call() {
    try (GatewayClient gateway = gatewayOptions.client()) {
      if (id != null) {
        return Requests.withPath(id, self -> one(gateway, self));
      }
      list(gateway);
      if (follow) {
        gateway.follow("/api/v1/events", this::show);
      }
      return 0;
    }
  }

  private int one(GatewayClient gateway, String self) {
    if (!follow) {
      JsonNode request = gateway.fetch(self);
      report(request);
      return 0;
    }
    ProgressBar bar = new ProgressBar(output.out());
    JsonNode end =
        new RequestFollower(gateway)
            .follow(
                self,
                latest -> {
                  output.value(latest);
                  if (!output.isJson()) {
                    bar.show(latest);
                  }
                });
    bar.finish();
    output.line(line(end));
    return exitCode(end).number();
  }

  private void list(GatewayClient gateway) {
    StringBuilder filter = new StringBuilder();
    append(filter, "state", state);
    append(filter, "repository", repository);
    new Requests(gateway).newest(filter.toString(), limit).forEach(this::report);
  }

  private boolean show(JsonNode event) {
    if (event.has("state")) {
      report(event);
    }
    return true;
  }

  private void report(JsonNode request) {
    output.value(request);
    output.line(line(request));
  }

  private static void append(StringBuilder query, String name, @Nullable String value) {
    if (value != null) {
      query.append('&').append(name).append('=').append(encode(value));
    }
  }

  static String encode(String value) {
    return URLEncoder.encode(value, StandardCharsets.UTF_8);
  }

  /** A request in one line for people. */
  static String line(JsonNode request) {
    String revision =
        request.has("revision") ? "  revision " + request.path("revision").asLong() : "";
    String detail = request.has("detail") ? "  " + request.path("detail").asText() : "";
    return "%s  %-10s %s -> %s%s%s"
        .formatted(
            request.path("id").asText(),
            request.path("state").asText(),
            ProgressBar.subject(request),
            request.path("repository").asText(),
            revision,
            detail);
  }

  /** What a script wants to know of a final state. */
  static ExitCode exitCode(JsonNode request) {
    return switch (request.path("state").asText()) {
      case "failed" -> ExitCode.REQUEST_FAILED;
      case "cancelled" -> ExitCode.REQUEST_CANCELLED;
      default -> ExitCode.OK;
    };
  }
}
