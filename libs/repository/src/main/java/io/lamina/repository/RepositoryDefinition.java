package io.lamina.repository;

import io.lamina.cvmfs.RepositoryName;
import io.lamina.storage.StorageLocation;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.Optional;

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
  public enum Backend {
    /** This software. */
    NATIVE,
    /** The original tools on an existing release manager machine. */
    CVMFS_SERVER
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
