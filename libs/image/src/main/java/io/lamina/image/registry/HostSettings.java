package io.lamina.image.registry;

import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/**
 * How one registry is reached. Immutable.
 *
 * @param isPlainHttp whether it is asked without TLS; loopback hosts are, unless they have a CA
 *     file
 * @param caFile certificates in PEM that are trusted for this host besides the system's
 * @param mirrors asked first, in this order, as {@code http[s]://HOST[:PORT][/PREFIX]}; the prefix
 *     goes before the repository's name
 * @param credentialsFile in the form of Docker's config.json, used for this host alone
 */
public record HostSettings(
    boolean isPlainHttp,
    Optional<Path> caFile,
    List<String> mirrors,
    Optional<Path> credentialsFile) {
  public static final HostSettings DEFAULT =
      new HostSettings(false, Optional.empty(), List.of(), Optional.empty());

  public HostSettings {
    mirrors = List.copyOf(mirrors);
    if (mirrors.size() > 16) {
      throw new IllegalArgumentException("more than 16 mirrors for one host");
    }
  }
}
