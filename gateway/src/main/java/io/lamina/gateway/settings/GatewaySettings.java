package io.lamina.gateway.settings;

import io.lamina.gateway.webhook.WebhookSettings;
import io.lamina.image.policy.ImagePolicy;
import io.lamina.image.policy.NamePattern;
import io.lamina.settings.Settings;
import io.lamina.settings.SettingsException;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;

/**
 * What an operator sets on a gateway. Immutable.
 *
 * <p>Source: docs/gateway.md, "Settings".
 *
 * @param tokensFile empty: everybody is an operator, and {@code listen} must be loopback
 * @param localImages whether requests may name folders and archives of the converters' hosts
 * @param images what is refused at once; converters have the last word
 * @param stratumFolder holds one folder per repository, each as a web server would serve it
 * @param spoolFolder where uploads wait for their verification
 */
public record GatewaySettings(
    Listen listen,
    Optional<Tls> tls,
    Optional<Path> tokensFile,
    boolean localImages,
    ImagePolicy images,
    Optional<Path> stratumFolder,
    Path spoolFolder,
    WebhookSettings webhooks,
    Limits limits,
    Timeouts timeouts) {

  /**
   * @param port 0 for any that is free
   */
  public record Listen(String host, int port) {}

  /**
   * PEM files.
   *
   * @param clients authorities of clients' certificates; empty: clients need none
   */
  public record Tls(Path certificate, Path key, Optional<Path> clients) {}

  /**
   * Bounds; what happens at each is in docs/gateway.md, "Limits".
   *
   * @param bodyBytes of a JSON body
   * @param headerBytes of all headers of one request
   * @param addressBytes of the request line
   * @param connections open at once
   * @param requestsInFlight of the API, being answered at once
   * @param backlog unfinished requests
   * @param knownRequests held in memory
   * @param uploads at once
   * @param uploadBytes of one archive
   * @param eventStreams open at once
   * @param eventBacklog events held for a slow reader
   * @param eventHistory events held for readers that come back
   */
  public record Limits(
      int bodyBytes,
      int headerBytes,
      int addressBytes,
      int connections,
      int requestsInFlight,
      int backlog,
      int knownRequests,
      int uploads,
      long uploadBytes,
      int eventStreams,
      int eventBacklog,
      int eventHistory) {}

  /**
   * Deadlines.
   *
   * @param idle of a connection on which nothing moves
   * @param heartbeat between comment lines of an event stream
   * @param shutdown for requests in flight when the process stops
   */
  public record Timeouts(Duration idle, Duration body, Duration heartbeat, Duration shutdown) {}

  public GatewaySettings {
    if (tokensFile.isEmpty() && !isLoopback(listen.host())) {
      throw new SettingsException(
          "gateway.listen.host is '"
              + listen.host()
              + "' and no gateway.tokens.file is set: without tokens the gateway listens on loopback"
              + " only. Set a token file, or listen on 127.0.0.1");
    }
    if (localImages && !isLoopback(listen.host())) {
      throw new SettingsException(
          "gateway.images.local lets callers name files of the converters' hosts and needs"
              + " gateway.listen.host on loopback; it is '"
              + listen.host()
              + "'");
    }
  }

  /**
   * Reads the keys that start with {@code gateway.}; what is not set has its default. Whoever gave
   * the settings refuses keys that nobody knows.
   *
   * @throws SettingsException on a bad value
   */
  public static GatewaySettings from(Settings text) {
    Listen listen =
        new Listen(
            text.text("gateway.listen.host").orElse("127.0.0.1"),
            text.count("gateway.listen.port", 8080, 0, 65535));
    Optional<Path> certificate = text.path("gateway.tls.certificate");
    Optional<Path> key = text.path("gateway.tls.key");
    if (certificate.isPresent() != key.isPresent()) {
      throw new SettingsException(
          "gateway.tls.certificate and gateway.tls.key must be set together");
    }
    Optional<Path> clients = text.path("gateway.tls.clients");
    if (clients.isPresent() && certificate.isEmpty()) {
      throw new SettingsException(
          "gateway.tls.clients needs gateway.tls.certificate and gateway.tls.key");
    }
    Optional<Path> tokens = text.path("gateway.tokens.file");
    boolean localImages = text.flag("gateway.images.local", false);
    Optional<Path> stratum = text.path("gateway.stratum.folder");
    Path spool =
        text.path("gateway.uploads.folder")
            .orElseGet(() -> Path.of(System.getProperty("java.io.tmpdir"), "lamina-uploads"));
    Limits limits = limits(text);
    Timeouts timeouts = timeouts(text);
    return new GatewaySettings(
        listen,
        certificate.flatMap(c -> key.map(k -> new Tls(c, k, clients))),
        tokens,
        localImages,
        images(text),
        stratum,
        spool,
        WebhookSettings.from(text),
        limits,
        timeouts);
  }

  /** Where thin images may go is left to the converters unless it is set here too. */
  private static ImagePolicy images(Settings text) {
    Function<String, List<NamePattern>> patterns = NamePattern::parse;
    ImagePolicy open = ImagePolicy.OPEN;
    return new ImagePolicy(
        text.parsed("images.allow", open.allowed(), patterns),
        text.parsed("images.deny", open.denied(), patterns),
        text.parsed("thin.allow", open.thinTargets(), patterns));
  }

  private static Limits limits(Settings text) {
    return new Limits(
        (int) text.bytes("gateway.limits.body", 64 << 10, 1 << 10, 16 << 20),
        (int) text.bytes("gateway.limits.headers", 16 << 10, 1 << 10, 1 << 20),
        (int) text.bytes("gateway.limits.address", 4 << 10, 256, 64 << 10),
        text.count("gateway.limits.connections", 4096, 1, 1_000_000),
        text.count("gateway.limits.in-flight", 256, 1, 100_000),
        text.count("gateway.limits.backlog", 10_000, 1, 1_000_000),
        text.count("gateway.limits.known-requests", 100_000, 10, 5_000_000),
        text.count("gateway.limits.uploads", 4, 1, 256),
        text.bytes("gateway.limits.upload-size", 20L << 30, 1, 1L << 42),
        text.count("gateway.limits.event-streams", 256, 1, 100_000),
        text.count("gateway.limits.event-backlog", 512, 8, 100_000),
        text.count("gateway.limits.event-history", 4096, 8, 1_000_000));
  }

  private static Timeouts timeouts(Settings text) {
    Duration ms = Duration.ofMillis(50);
    Duration hour = Duration.ofHours(1);
    return new Timeouts(
        text.duration("gateway.timeouts.idle", Duration.ofSeconds(75), ms, hour),
        text.duration("gateway.timeouts.body", Duration.ofSeconds(15), ms, hour),
        text.duration("gateway.timeouts.heartbeat", Duration.ofSeconds(15), ms, hour),
        text.duration("gateway.timeouts.shutdown", Duration.ofSeconds(10), ms, hour));
  }

  /** Whether only this machine can connect. */
  public boolean isLoopback() {
    return isLoopback(listen.host());
  }

  private static boolean isLoopback(String host) {
    try {
      for (InetAddress address : InetAddress.getAllByName(host)) {
        if (!address.isLoopbackAddress()) {
          return false;
        }
      }
      return true;
    } catch (UnknownHostException e) {
      throw new SettingsException(
          "gateway.listen.host '" + host + "' is not an address of this machine");
    }
  }
}
