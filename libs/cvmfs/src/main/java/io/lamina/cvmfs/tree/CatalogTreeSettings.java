package io.lamina.cvmfs.tree;

import io.lamina.cvmfs.HashAlgorithm;

/**
 * How a tree becomes catalogs; part of what decides their bytes. Immutable.
 *
 * @param maxEntries from how many entries on a catalog is split; a directory with more entries of
 *     its own stays whole
 * @param minEntries smallest directory tree that becomes a catalog of its own
 * @param algorithm names catalogs and markers
 * @param lastModifiedSeconds what the catalogs say; an input, never the clock
 */
public record CatalogTreeSettings(
    int maxEntries, int minEntries, HashAlgorithm algorithm, long lastModifiedSeconds) {
  /**
   * About 7 MB of database, 3 MB stored: a client has it in a fraction of a second, and nearly all
   * layers stay one catalog.
   */
  public static final int DEFAULT_MAX_ENTRIES = 50_000;

  /** Below this a catalog of its own costs clients more requests than it saves bytes. */
  public static final int DEFAULT_MIN_ENTRIES = 1_000;

  public CatalogTreeSettings {
    if (minEntries < 2 || maxEntries < minEntries) {
      throw new IllegalArgumentException(
          "catalogs of " + minEntries + " to " + maxEntries + " entries");
    }
  }

  public static CatalogTreeSettings of(HashAlgorithm algorithm, long lastModifiedSeconds) {
    return new CatalogTreeSettings(
        DEFAULT_MAX_ENTRIES, DEFAULT_MIN_ENTRIES, algorithm, lastModifiedSeconds);
  }
}
