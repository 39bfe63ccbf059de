package io.lamina.node;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.lamina.settings.SettingsException;
import java.io.IOException;
import java.io.InputStream;
import java.net.URI;
import java.net.URISyntaxException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Optional;

/**
 * What the former plugin's {@code config.json} says of commits, in its own words. Immutable.
 *
 * <p>Source: docs/plugin-node.md, "Settings of the former plugin".
 *
 * @param gateway from {@code PublishStatusURL}
 * @param repository {@code CvmfsRepo}
 * @param storage a location in S3 without credentials, where a {@code Bucket} is named
 */
record MinioConfig(
    Optional<String> gateway,
    Optional<String> repository,
    Optional<String> storage,
    Optional<Keys> keys) {
  private static final String FILE = "config.json";
  private static final int MAX_BYTES = 64 << 10;
  private static final ObjectMapper JSON = new ObjectMapper();

  static final MinioConfig NONE =
      new MinioConfig(Optional.empty(), Optional.empty(), Optional.empty(), Optional.empty());

  /** Of the store; not to be shown. */
  record Keys(String access, String secret) {
    @Override
    public String toString() {
      return "Keys[…]";
    }

    /**
     * Writes them as stores read them, for this process's user alone.
     *
     * @return the file
     */
    Path writeTo(Path folder) {
      Path file = folder.resolve("commit.credentials");
      try {
        Path next =
            Files.createTempFile(
                folder,
                "credentials",
                "",
                PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------")));
        Files.writeString(next, "access-key=" + access + "\nsecret-key=" + secret + "\n");
        return Files.move(
            next, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
      } catch (IOException e) {
        throw new SettingsException(
            "the store's credentials cannot be kept in " + folder + ": " + e);
      }
    }
  }

  /**
   * @param folder with {@code config.json}; one without it says nothing
   * @throws SettingsException if the file cannot be understood
   */
  static MinioConfig read(Path folder) {
    Path file = folder.resolve(FILE);
    if (!Files.exists(file)) {
      return NONE;
    }
    try (InputStream in = Files.newInputStream(file)) {
      byte[] bytes = in.readNBytes(MAX_BYTES + 1);
      JsonNode json = JSON.readTree(new String(bytes, StandardCharsets.UTF_8));
      if (bytes.length > MAX_BYTES || !json.isObject()) {
        throw new SettingsException(file + " is not a JSON object of at most 64 KiB");
      }
      return of(file, json);
    } catch (JsonProcessingException e) {
      // Its message quotes the file, which holds secrets.
      throw new SettingsException(file + " is not JSON, in line " + e.getLocation().getLineNr());
    } catch (IOException e) {
      throw new SettingsException("cannot read " + file + ": " + e);
    }
  }

  private static MinioConfig of(Path file, JsonNode json) {
    Optional<String> storage =
        text(file, json, "Bucket")
            .map(
                bucket ->
                    "s3:"
                        + (json.path("SSL").asBoolean() ? "https://" : "http://")
                        + required(file, json, "Host")
                        + "/"
                        + bucket
                        + text(file, json, "Prefix").map(prefix -> "/" + prefix).orElse("")
                        + text(file, json, "Region").map(name -> "?region=" + name).orElse(""));
    return new MinioConfig(
        text(file, json, "PublishStatusURL").map(url -> base(file, url)),
        text(file, json, "CvmfsRepo"),
        storage,
        storage.map(
            _ ->
                new Keys(required(file, json, "AccessKey"), required(file, json, "AccessSecret"))));
  }

  private static Optional<String> text(Path file, JsonNode json, String name) {
    JsonNode value = json.path(name);
    if (value.isMissingNode() || value.isNull() || value.asText().isEmpty()) {
      return Optional.empty();
    }
    if (!value.isTextual() || value.asText().chars().anyMatch(Character::isISOControl)) {
      throw new SettingsException(file + ": '" + name + "' is not a text in one line");
    }
    return Optional.of(value.asText());
  }

  private static String required(Path file, JsonNode json, String name) {
    return text(file, json, name)
        .orElseThrow(
            () ->
                new SettingsException(file + " names a 'Bucket', so it needs '" + name + "' too"));
  }

  /** It was asked for {@code /status/DIGEST}; the rest of the gateway is beside that. */
  private static String base(Path file, String url) {
    try {
      URI uri = new URI(url.contains("://") ? url : "http://" + url);
      boolean isHttp = "http".equals(uri.getScheme()) || "https".equals(uri.getScheme());
      if (isHttp && uri.getHost() != null) {
        return uri.getScheme() + "://" + uri.getRawAuthority();
      }
    } catch (URISyntaxException e) {
      // one message below for all
    }
    throw new SettingsException(file + ": 'PublishStatusURL' is not an address");
  }
}
