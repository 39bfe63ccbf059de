package io.lamina.cvmfs.catalog;

import io.lamina.cvmfs.ContentHash;
import io.lamina.cvmfs.CvmfsException;
import io.lamina.cvmfs.RepositoryPath;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * What a new catalog says of itself. Immutable.
 *
 * <p>Source: docs/format/catalogs.md, "Properties".
 *
 * @param mount where it hangs; the root for a repository's root catalog
 * @param revision 0 or more; a root catalog's is the manifest's
 * @param previousRevision the catalog that this one follows; null for none
 * @param lastModifiedSeconds since the epoch; an input, never the clock
 * @param timeToLive how long clients keep a root catalog; null for nested ones
 */
public record CatalogProperties(
    RepositoryPath mount,
    long revision,
    @Nullable ContentHash previousRevision,
    long lastModifiedSeconds,
    @Nullable Duration timeToLive) {
  /** What clients assume where a root catalog says nothing. */
  public static final Duration DEFAULT_TIME_TO_LIVE = Duration.ofSeconds(240);

  /**
   * @throws CvmfsException.Rejected if the mount path is not UTF-8, or a number is negative
   */
  public CatalogProperties {
    if (!Utf8.isValid(mount.bytes())) {
      throw new CvmfsException.Rejected("no catalog can hang at a path outside UTF-8: " + mount);
    }
    if (revision < 0 || lastModifiedSeconds < 0) {
      throw new CvmfsException.Rejected(
          "negative revision or time of the catalog at " + mount + ": " + revision);
    }
  }

  /** The first catalog at a mount point. */
  public static CatalogProperties firstNested(RepositoryPath mount, long lastModifiedSeconds) {
    return new CatalogProperties(mount, 1, null, lastModifiedSeconds, null);
  }

  /** The root catalog of a repository that begins. */
  public static CatalogProperties firstRoot(long lastModifiedSeconds) {
    return new CatalogProperties(
        RepositoryPath.ROOT, 0, null, lastModifiedSeconds, DEFAULT_TIME_TO_LIVE);
  }
}
