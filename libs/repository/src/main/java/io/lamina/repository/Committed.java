package io.lamina.repository;

import io.lamina.cvmfs.ContentHash;
import io.lamina.cvmfs.catalog.CatalogChange;
import java.util.List;

/**
 * What a transaction came to. Immutable.
 *
 * @param revision the repository's revision, raised by one if anything was published
 * @param timestampSeconds as it was recorded
 * @param previousRoot the root catalog before; equal to {@code root} if nothing was published
 * @param rootSizeBytes uncompressed size of the root catalog
 * @param effective the changes that were not true before, in order, with the splits that were made
 *     for them; empty if nothing was published
 */
public record Committed(
    long revision,
    long timestampSeconds,
    ContentHash previousRoot,
    ContentHash root,
    long rootSizeBytes,
    List<CatalogChange> effective,
    Timings timings) {

  /**
   * Where the time went, in nanoseconds.
   *
   * @param load reading the manifest, the reflog and the catalogs
   * @param apply changing them
   * @param store compressing, hashing and storing catalogs and history
   * @param flush making all of it durable, and replacing the reflog
   * @param swap signing, and replacing the manifest
   * @param attempts how often it was built; more than 1 if others committed meanwhile
   */
  public record Timings(long load, long apply, long store, long flush, long swap, int attempts) {
    public static final Timings NONE = new Timings(0, 0, 0, 0, 0, 0);

    public long total() {
      return load + apply + store + flush + swap;
    }
  }

  public Committed {
    effective = List.copyOf(effective);
  }

  public boolean isPublished() {
    return !effective.isEmpty();
  }
}
