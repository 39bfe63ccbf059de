package io.lamina.standalone.command;

import io.lamina.standalone.client.GatewayClient;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** How a client command finds its gateway. */
final class GatewayOptions {
  @Option(
      names = "--gateway",
      paramLabel = "URL",
      defaultValue = "${env:LAMINA_GATEWAY:-http://127.0.0.1:8080}",
      description = "The gateway (environment LAMINA_GATEWAY; default ${DEFAULT-VALUE}).")
  String gateway = "http://127.0.0.1:8080";

  @Option(
      names = "--token-file",
      paramLabel = "FILE",
      defaultValue = "${env:LAMINA_TOKEN_FILE}",
      description = "File that holds the bearer token (environment LAMINA_TOKEN_FILE).")
  @Nullable Path tokenFile;

  GatewayClient client() {
    return new GatewayClient(uri(), token());
  }

  private URI uri() {
    try {
      URI uri = URI.create(gateway);
      if (("http".equals(uri.getScheme()) || "https".equals(uri.getScheme()))
          && uri.getHost() != null) {
        return uri;
      }
    } catch (IllegalArgumentException e) {
      // falls through to the one message for all bad addresses
    }
    throw new CommandException(
        ExitCode.USAGE,
        "not a gateway address: '" + gateway + "'; use http://HOST:PORT or https://HOST:PORT");
  }

  private Optional<String> token() {
    if (tokenFile == null) {
      return Optional.empty();
    }
    try {
      return Optional.of(Files.readString(tokenFile).strip());
    } catch (IOException e) {
      throw new CommandException(
          ExitCode.USAGE, "cannot read the token file " + tokenFile + ": " + e.getMessage());
    }
  }
}
