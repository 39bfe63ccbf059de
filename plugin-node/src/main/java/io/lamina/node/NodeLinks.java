package io.lamina.node;

import io.lamina.cvmfs.CvmfsException;
import io.lamina.cvmfs.RepositoryName;
import io.lamina.messaging.KafkaSettings;
import io.lamina.messaging.MessagingException;
import io.lamina.settings.Settings;
import io.lamina.settings.SettingsException;
import java.io.IOException;
import java.io.InputStream;
import java.net.URI;
import java.net.URISyntaxException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;

/**
 * What a Docker host knows of the pipeline: where it hears of publications, and where commits go.
 * Immutable.
 *
 * <p>Source: docs/plugin-node.md, "Settings".
 *
 * @param kafka brokers with the journal
 * @param gateway for commits; for publications too, where there is no Kafka
 */
public record NodeLinks(Optional<KafkaSettings> kafka, Optional<Gateway> gateway, Commits commits) {
  /** Nothing is heard, and commits are ordinary layers. */
  public static final NodeLinks NONE =
      from(Settings.of("nothing", Map.of()), "node", Duration.ofMinutes(10));

  /**
   * Where the gateway is.
   *
   * @param tokenFile of a submitter; empty for a gateway without tokens
   */
  public record Gateway(URI base, Optional<Path> tokenFile) {
    private static final int MAX_TOKEN_BYTES = 4096;

    /**
     * The token, without blanks around.
     *
     * @throws SettingsException if its file cannot be read or holds none
     */
    Optional<String> token() {
      if (tokenFile.isEmpty()) {
        return Optional.empty();
      }
      Path file = tokenFile.get();
      try (InputStream in = Files.newInputStream(file)) {
        String token =
            new String(in.readNBytes(MAX_TOKEN_BYTES), StandardCharsets.US_ASCII).strip();
        if (token.isEmpty() || !token.chars().allMatch(c -> c > ' ' && c < 127)) {
          throw new SettingsException(
              "plugin.gateway.token: the file " + file + " holds no token in one line");
        }
        return Optional.of(token);
      } catch (IOException e) {
        throw new SettingsException("plugin.gateway.token: cannot read " + file + ": " + e);
      }
    }
  }

  /** What becomes of a container that is committed on a thin image. */
  public enum Mode {
    /** Its files are published, and the layer is thin. */
    THIN,
    /** An ordinary layer. */
    ORDINARY;

    private static Mode parse(String text) {
      for (Mode mode : values()) {
        if (mode.name().toLowerCase(Locale.ROOT).equals(text)) {
          return mode;
        }
      }
      throw new IllegalArgumentException("'" + text + "' must be thin or ordinary");
    }
  }

  /**
   * Commits on thin images.
   *
   * @param repository where layers are published; empty: where the image's thin layers lie
   * @param storage of the repository, as text with {@code @fqrn@} for its name; empty: archives go
   *     through the gateway
   * @param keys of that storage, where its location names no file of them
   * @param patience with a gateway or store that does not answer
   * @param deadline of a whole commit
   * @param maxBytes of a layer's archive
   */
  public record Commits(
      Mode mode,
      Optional<RepositoryName> repository,
      Optional<String> storage,
      Optional<MinioConfig.Keys> keys,
      Duration patience,
      Duration deadline,
      long maxBytes) {}

  /**
   * @param name of this node's clients at brokers
   * @param driverDeadline after which an engine's call is answered with an error
   */
  static NodeLinks from(Settings text, String name, Duration driverDeadline) {
    Duration second = Duration.ofSeconds(1);
    Duration hour = Duration.ofHours(1);
    Map<String, String> client = text.group("plugin.kafka.client.");
    Optional<KafkaSettings> kafka;
    try {
      kafka = text.text("plugin.kafka").map(brokers -> new KafkaSettings(brokers, name, client));
    } catch (MessagingException.Rejected e) {
      throw new SettingsException("plugin.kafka: " + e.getMessage());
    }
    MinioConfig former =
        text.path("plugin.minio.config").map(MinioConfig::read).orElse(MinioConfig.NONE);
    Optional<String> storage = text.text("plugin.commit.storage");
    Optional<Path> token = text.path("plugin.gateway.token");
    Optional<Gateway> gateway =
        text.text("plugin.gateway")
            .or(former::gateway)
            .map(url -> new Gateway(address(url), token));
    Mode mode =
        text.parsed("plugin.commit", gateway.isPresent() ? Mode.THIN : Mode.ORDINARY, Mode::parse);
    if (mode == Mode.THIN && gateway.isEmpty()) {
      throw new SettingsException(
          "plugin.commit = thin needs a gateway that publishes: set plugin.gateway");
    }
    Commits commits =
        new Commits(
            mode,
            text.text("plugin.commit.repository").or(former::repository).map(NodeLinks::repository),
            storage.or(former::storage),
            storage.isPresent() ? Optional.empty() : former.keys(),
            text.duration("plugin.commit.patience", Duration.ofSeconds(30), second, hour),
            text.duration("plugin.commit.deadline", Duration.ofMinutes(5), second, hour),
            text.bytes("plugin.commit.size", 20L << 30, 1 << 20, 4L << 40));
    if (mode == Mode.THIN && commits.deadline().compareTo(driverDeadline) >= 0) {
      throw new SettingsException(
          "plugin.commit.deadline ("
              + commits.deadline().toSeconds()
              + " s) must be shorter than plugin.deadline.other ("
              + driverDeadline.toSeconds()
              + " s), after which the engine is answered");
    }
    return new NodeLinks(kafka, gateway, commits);
  }

  private static RepositoryName repository(String name) {
    try {
      return new RepositoryName(name);
    } catch (CvmfsException.Rejected e) {
      throw new SettingsException("plugin.commit.repository: " + e.getMessage());
    }
  }

  private static URI address(String text) {
    try {
      URI uri = new URI(text);
      if (uri.getHost() != null
          && uri.getUserInfo() == null
          && uri.getRawQuery() == null
          && ("http".equals(uri.getScheme()) || "https".equals(uri.getScheme()))) {
        return uri;
      }
    } catch (URISyntaxException e) {
      // one message below for all
    }
    throw new SettingsException(
        "plugin.gateway: '" + text + "' is not of the form http[s]://HOST[:PORT]");
  }
}
