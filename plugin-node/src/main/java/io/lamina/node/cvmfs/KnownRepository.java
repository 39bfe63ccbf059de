package io.lamina.node.cvmfs;

import io.lamina.cvmfs.CvmfsException;
import io.lamina.cvmfs.RepositoryName;
import io.lamina.settings.SettingsException;
import java.net.URI;
import java.net.URISyntaxException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/**
 * A repository that this node may mount itself. Immutable.
 *
 * @param servers addresses in order of preference; {@code @fqrn@} stands for the name
 * @param key PEM file; its key must have signed the whitelist
 */
public record KnownRepository(RepositoryName name, List<String> servers, Path key) {
  private static final int MAX_SERVERS = 32;

  public KnownRepository {
    servers = List.copyOf(servers);
  }

  /**
   * Reads {@code NAME=URL[,URL…],PUBKEY}.
   *
   * @throws SettingsException if it is not of this form
   */
  public static KnownRepository parse(String text) {
    int equals = text.indexOf('=');
    if (equals < 1) {
      throw malformed(text);
    }
    return parse(text.substring(0, equals).strip(), text.substring(equals + 1));
  }

  /**
   * @param text {@code URL[,URL…],PUBKEY}
   * @throws SettingsException if it is not of this form
   */
  public static KnownRepository parse(String name, String text) {
    List<String> parts = new ArrayList<>();
    for (String part : text.split(",", -1)) {
      parts.add(part.strip());
    }
    String key = parts.removeLast();
    if (parts.isEmpty() || key.isEmpty() || parts.size() > MAX_SERVERS) {
      throw malformed(name + "=" + text);
    }
    parts.forEach(server -> checkServer(name, server));
    try {
      return new KnownRepository(
          new RepositoryName(name), parts, Path.of(key).toAbsolutePath().normalize());
    } catch (CvmfsException.Rejected e) {
      throw new SettingsException(String.valueOf(e.getMessage()));
    }
  }

  /** Settings files of other clients are made from it, so nothing that they could misread. */
  private static void checkServer(String name, String server) {
    try {
      URI uri = new URI(server.replace("@fqrn@", "fqrn").replace("@org@", "org"));
      String scheme = uri.getScheme() == null ? "" : uri.getScheme().toLowerCase(Locale.ROOT);
      if (List.of("http", "https", "file").contains(scheme)
          && server.chars().noneMatch(c -> " ;|'\"$`\\".indexOf(c) >= 0)) {
        return;
      }
    } catch (URISyntaxException e) {
      // one message below for all
    }
    throw new SettingsException(
        "repository "
            + name
            + ": '"
            + server
            + "' is not an http, https or file address of a repository");
  }

  private static SettingsException malformed(String text) {
    return new SettingsException(
        "'" + text + "' is not a repository; write NAME=URL[,URL…],PUBKEY, PUBKEY being a file");
  }
}
