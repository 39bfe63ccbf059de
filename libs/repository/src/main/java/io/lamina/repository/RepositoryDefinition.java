package io.lamina.repository;

import io.lamina.cvmfs.RepositoryName;
import io.lamina.storage.StorageLocation;
import java.net.URI;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * What a process must know to publish to a repository; kept as one JSON file in the data folder.
 * Holds no secrets: keys and credentials are named by their files. Immutable.
 *
 * @param storage empty for the data folder's own {@code cvmfs/NAME/}
 * @param keys folder of the key files; empty for the data folder's own {@code keys/}
 * @param createdAt whole seconds; the time of the first root catalog, so that a replay can make the
 *     same one
 */
public record RepositoryDefinition(
    RepositoryName name,
    Optional<StorageLocation> storage,
    Optional<Path> keys,
    Backend backend,
    Settings settings,
    Instant createdAt) {

  /** Who writes the transactions. */
  public sealed interface Backend {
    Backend NATIVE = new Native();

    /** How definitions and people name it. */
    String word();

    /** This software. */
    record Native() implements Backend {
      static final String WORD = "native";

      @Override
      public String word() {
        return WORD;
      }
    }

    /**
     * The original tools on a release manager machine, which is this one. The repository of the
     * same name must exist there; the storage of the definition is where converters put their work
     * and where this software keeps its own catalogs.
     *
     * @param read where the published repository is read: {@code file}, {@code http} or {@code
     *     https}; the stratum 0 itself, no cache
     * @param publicKey of its master key
     * @param command the tool
     * @param mount where the tool mounts the repository for changes
     * @param spool where the tool keeps the repository's locks
     * @param timeout after which a running tool is ended
     * @param acceptsLosses whether trees are published though the tool drops attributes of theirs
     */
    record CvmfsServer(
        URI read,
        Path publicKey,
        Path command,
        Path mount,
        Path spool,
        Duration timeout,
        boolean acceptsLosses)
        implements Backend {
      static final String WORD = "cvmfs_server";
      private static final Duration MAX_TIMEOUT = Duration.ofDays(7);
      public static final Duration DEFAULT_TIMEOUT = Duration.ofHours(4);

      public CvmfsServer {
        String scheme = String.valueOf(read.getScheme());
        if (!Set.of("file", "http", "https").contains(scheme)
            || read.getUserInfo() != null
            || read.getQuery() != null
            || read.getFragment() != null) {
          throw new RepositoryException.Rejected(
              "a release manager's repository is read from file:///FOLDER or http(s)://HOST/PATH,"
                  + " not "
                  + read);
        }
        for (Path path : List.of(publicKey, command, mount, spool)) {
          if (!path.isAbsolute()) {
            throw new RepositoryException.Rejected(
                "paths of a release manager are absolute, unlike " + path);
          }
        }
        if (timeout.compareTo(Duration.ofSeconds(1)) < 0 || timeout.compareTo(MAX_TIMEOUT) > 0) {
          throw new RepositoryException.Rejected(
              "the tool may run between one second and " + MAX_TIMEOUT + ", not " + timeout);
        }
      }

      @Override
      public String word() {
        return WORD;
      }

      /** With everything where the tool's own defaults put it. */
      public static CvmfsServer standard(RepositoryName name) {
        return new CvmfsServer(
            URI.create("file:///srv/cvmfs/" + name),
            Path.of("/etc/cvmfs/keys/" + name + ".pub"),
            Path.of("/usr/bin/cvmfs_server"),
            Path.of("/cvmfs/" + name),
            Path.of("/var/spool/cvmfs/" + name),
            DEFAULT_TIMEOUT,
            false);
      }
    }
  }

  /**
   * How a repository is published.
   *
   * @param ttl how long clients go on without asking for a new revision; whole seconds
   * @param flat whether images get a merged tree and a public link
   * @param garbageCollectable whether unreferenced objects may be removed
   * @param tags whether the history of tags is kept
   * @param genericTags how many tags named after their publication's time are kept
   */
  public record Settings(
      Duration ttl, boolean flat, boolean garbageCollectable, boolean tags, int genericTags) {
    // Before any constant that the constructor checks.
    private static final Duration MAX_TTL = Duration.ofDays(1);
    private static final int MAX_GENERIC_TAGS = 10_000;

    public static final Settings DEFAULT =
        new Settings(Duration.ofSeconds(240), true, true, true, 100);

    public Settings {
      if (ttl.compareTo(Duration.ofSeconds(1)) < 0 || ttl.compareTo(MAX_TTL) > 0) {
        throw new RepositoryException.Rejected(
            "a time to live is between one second and one day, not " + ttl);
      }
      if (genericTags < 0 || genericTags > MAX_GENERIC_TAGS) {
        throw new RepositoryException.Rejected(
            "0 to " + MAX_GENERIC_TAGS + " generic tags can be kept, not " + genericTags);
      }
    }
  }

  public RepositoryDefinition {
    if (createdAt.getNano() != 0 || createdAt.isBefore(Instant.EPOCH)) {
      throw new RepositoryException.Rejected(
          "the time of creation is in whole seconds since 1970, not " + createdAt);
    }
  }

  /** With keys and storage in the data folder. */
  public static RepositoryDefinition inDataFolder(
      RepositoryName name, Settings settings, Instant createdAt) {
    return new RepositoryDefinition(
        name, Optional.empty(), Optional.empty(), Backend.NATIVE, settings, createdAt);
  }
}
