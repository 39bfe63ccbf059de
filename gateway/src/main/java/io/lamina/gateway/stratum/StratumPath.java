package io.lamina.gateway.stratum;

import io.lamina.cvmfs.CvmfsException;
import io.lamina.cvmfs.RepositoryName;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Pattern;

/**
 * A file of a repository as its address names it: only names of the CVMFS layout exist, so nothing
 * else that lies in the folder can be reached, and no path needs to be cleaned. Immutable.
 *
 * <p>Source: docs/format/objects.md, "Object names"; docs/gateway.md, "Stratum 0".
 *
 * @param name relative to the repository's root
 */
public record StratumPath(RepositoryName repository, String name) {
  /** Where all repositories lie on this server. */
  public static final String PREFIX = "/cvmfs/";

  private static final int MAX_CHARS = 256;
  private static final Pattern OBJECT =
      Pattern.compile("data/[0-9a-f]{2}/[0-9a-f]{38}(-rmd160|-shake128)?[A-Z]?");
  private static final Pattern ALTERNATIVE =
      Pattern.compile("\\.cvmfsalt-[0-9a-f]{40}(-rmd160|-shake128)?[A-Z]?");
  private static final Set<String> FILES =
      Set.of(
          ".cvmfspublished",
          ".cvmfswhitelist",
          ".cvmfswhitelist.pkcs7",
          ".cvmfsreflog",
          ".cvmfs_master_replica",
          ".cvmfs_status.json",
          ".cvmfs_last_snapshot",
          ".cvmfs_is_snapshotting");

  /**
   * Reads the path of a request, as it was sent: no name of the layout needs escapes, so nothing is
   * decoded.
   */
  public static Optional<StratumPath> parse(String path) {
    if (!path.startsWith(PREFIX) || path.length() > MAX_CHARS) {
      return Optional.empty();
    }
    int slash = path.indexOf('/', PREFIX.length());
    if (slash < 0) {
      return Optional.empty();
    }
    String name = path.substring(slash + 1);
    if (!FILES.contains(name)
        && !OBJECT.matcher(name).matches()
        && !ALTERNATIVE.matcher(name).matches()) {
      return Optional.empty();
    }
    try {
      return Optional.of(
          new StratumPath(new RepositoryName(path.substring(PREFIX.length(), slash)), name));
    } catch (CvmfsException.Rejected e) {
      return Optional.empty();
    }
  }

  /** Whether its bytes never change. */
  public boolean isImmutable() {
    return name.startsWith("data/");
  }

  public String contentType() {
    if (name.endsWith(".json")) {
      return "application/json";
    }
    return name.startsWith(".cvmfs") ? "application/x-cvmfs" : "application/octet-stream";
  }

  /** Three days for objects, 61 seconds for what is replaced. */
  public String cacheControl() {
    return isImmutable() ? "max-age=259200" : "max-age=61";
  }
}
