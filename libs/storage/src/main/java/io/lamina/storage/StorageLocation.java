package io.lamina.storage;

import java.net.URI;
import java.net.URISyntaxException;
import java.net.URLDecoder;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.regex.Pattern;

/**
 * Where a store is, and its text form: {@code local:/path} or {@code
 * s3:http[s]://host[:port]/bucket[/prefix][?region=…&credentials=/file&style=path|dns]}. Immutable.
 *
 * <p>Source: docs/storage.md, "Locations".
 */
public sealed interface StorageLocation {

  /**
   * @throws StorageException.Rejected saying what is wrong and what the accepted forms are
   */
  static StorageLocation parse(String text) {
    if (text.startsWith("local:")) {
      return local(text, text.substring("local:".length()));
    }
    if (text.startsWith("s3:")) {
      return s3(text, text.substring("s3:".length()));
    }
    throw rejected(text, "it begins with neither local: nor s3:");
  }

  /**
   * A folder.
   *
   * @param folder absolute
   */
  record Local(Path folder) implements StorageLocation {
    public Local {
      if (!folder.isAbsolute()) {
        throw rejected("local:" + folder, "the folder is not absolute");
      }
    }

    @Override
    public String toString() {
      return "local:" + folder;
    }
  }

  /** How the bucket is named in requests. */
  enum Style {
    /** {@code http://host/bucket/key}. */
    PATH,
    /** {@code http://bucket.host/key}. */
    DNS
  }

  /**
   * A bucket, or the part of one below a prefix.
   *
   * @param endpoint {@code http[s]://host[:port]}
   * @param prefix without slashes at its ends; empty for the whole bucket
   * @param region as the service names it
   * @param credentialsFile has lines {@code access-key=…} and {@code secret-key=…}; without one
   *     requests are anonymous
   */
  record S3(
      URI endpoint,
      String bucket,
      String prefix,
      String region,
      Optional<Path> credentialsFile,
      Style style)
      implements StorageLocation {
    private static final Pattern BUCKET = Pattern.compile("[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]");
    private static final Pattern REGION = Pattern.compile("[A-Za-z0-9._-]{1,64}");
    public static final String DEFAULT_REGION = "us-east-1";

    public S3 {
      String form = "s3:" + endpoint + "/" + bucket + "/" + prefix;
      if (!"http".equals(endpoint.getScheme()) && !"https".equals(endpoint.getScheme())) {
        throw rejected(form, "the endpoint is neither http nor https");
      }
      if (endpoint.getHost() == null || endpoint.getUserInfo() != null) {
        throw rejected(form, "the endpoint needs a host and no user; credentials belong in a file");
      }
      if (!BUCKET.matcher(bucket).matches()) {
        throw rejected(form, "'" + bucket + "' is no bucket name");
      }
      if (!REGION.matcher(region).matches()) {
        throw rejected(form, "'" + region + "' is no region");
      }
      if (!prefix.isEmpty()) {
        prefix = new ObjectKey(prefix).value();
      }
      if (credentialsFile.isPresent() && !credentialsFile.get().isAbsolute()) {
        throw rejected(form, "the path of the credentials file is not absolute");
      }
    }

    /** The same place for anybody. */
    public S3 withoutCredentials() {
      return new S3(endpoint, bucket, prefix, region, Optional.empty(), style);
    }

    /** The key in the bucket of a key in the store. */
    public String keyInBucket(ObjectKey key) {
      return prefix.isEmpty() ? key.value() : prefix + "/" + key.value();
    }

    @Override
    public String toString() {
      List<String> query = new ArrayList<>();
      if (!region.equals(DEFAULT_REGION)) {
        query.add("region=" + region);
      }
      credentialsFile.ifPresent(
          file ->
              query.add(
                  "credentials="
                      + URLEncoder.encode(file.toString(), StandardCharsets.UTF_8)
                          .replace("%2F", "/")));
      if (style == Style.DNS) {
        query.add("style=dns");
      }
      return "s3:"
          + endpoint
          + "/"
          + bucket
          + (prefix.isEmpty() ? "" : "/" + prefix)
          + (query.isEmpty() ? "" : "?" + String.join("&", query));
    }
  }

  private static Local local(String text, String path) {
    try {
      return new Local(Path.of(path).normalize());
    } catch (InvalidPathException e) {
      throw rejected(text, e.getReason());
    }
  }

  private static S3 s3(String text, String url) {
    try {
      URI uri = new URI(url);
      String path = uri.getPath() == null ? "" : uri.getPath();
      String[] parts = path.split("/", 3);
      if (uri.getHost() == null || parts.length < 2 || uri.getFragment() != null) {
        throw rejected(text, "it names no host or no bucket");
      }
      String region = S3.DEFAULT_REGION;
      Optional<Path> credentials = Optional.empty();
      Style style = Style.PATH;
      String query = uri.getRawQuery() == null ? "" : uri.getRawQuery();
      for (String pair : query.isEmpty() ? new String[0] : query.split("&", -1)) {
        int equals = pair.indexOf('=');
        String name = equals < 0 ? pair : pair.substring(0, equals);
        String value =
            equals < 0 ? "" : URLDecoder.decode(pair.substring(equals + 1), StandardCharsets.UTF_8);
        switch (name) {
          case "region" -> region = value;
          case "credentials" -> credentials = Optional.of(Path.of(value));
          case "style" ->
              style =
                  switch (value) {
                    case "path" -> Style.PATH;
                    case "dns" -> Style.DNS;
                    default -> throw rejected(text, "style is path or dns, not '" + value + "'");
                  };
          default ->
              throw rejected(
                  text, "'" + name + "' is unknown; there are region, credentials and style");
        }
      }
      URI endpoint =
          new URI(
              uri.getScheme(), uri.getUserInfo(), uri.getHost(), uri.getPort(), null, null, null);
      return new S3(
          endpoint, parts[1], parts.length == 3 ? parts[2] : "", region, credentials, style);
    } catch (URISyntaxException | IllegalArgumentException e) {
      throw rejected(text, String.valueOf(e.getMessage()));
    }
  }

  private static StorageException.Rejected rejected(String text, String why) {
    return new StorageException.Rejected(
        "not a storage location: '"
            + text
            + "': "
            + why
            + "; use local:/path or s3:http[s]://host[:port]/bucket[/prefix]"
            + "[?region=NAME&credentials=/FILE&style=path|dns]");
  }
}
