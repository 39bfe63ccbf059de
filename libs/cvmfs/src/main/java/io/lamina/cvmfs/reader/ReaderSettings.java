package io.lamina.cvmfs.reader;

import io.lamina.cvmfs.CvmfsException;
import io.lamina.cvmfs.RepositoryName;
import io.lamina.cvmfs.signing.MasterKeys;
import java.nio.file.Path;
import java.time.Clock;
import java.util.Map;

/**
 * Whom a reader trusts, and how much it may use. Immutable.
 *
 * @param keys one of these must have signed the whitelist
 * @param clock decides whether the whitelist has expired
 * @param environment values for the variables in symbolic links
 * @param scratch an existing folder for large objects and catalogs while they are read
 * @param openCatalogBytes how much of catalogs is kept open, by their uncompressed size
 * @param oldestPublishedSeconds a manifest from before this time is refused; 0 for any
 */
public record ReaderSettings(
    RepositoryName repository,
    MasterKeys keys,
    Clock clock,
    Map<String, String> environment,
    Path scratch,
    long openCatalogBytes,
    long oldestPublishedSeconds) {
  /** Room for a few hundred catalogs of layers. */
  public static final long DEFAULT_OPEN_CATALOG_BYTES = 128L << 20;

  public ReaderSettings {
    environment = Map.copyOf(environment);
    if (openCatalogBytes < 0) {
      throw new CvmfsException.Rejected("a negative size for open catalogs: " + openCatalogBytes);
    }
  }

  /** No variables, the system's folder for temporary files, any age. */
  public static ReaderSettings of(RepositoryName repository, MasterKeys keys, Clock clock) {
    return new ReaderSettings(
        repository,
        keys,
        clock,
        Map.of(),
        Path.of(System.getProperty("java.io.tmpdir")),
        DEFAULT_OPEN_CATALOG_BYTES,
        0);
  }

  public ReaderSettings withEnvironment(Map<String, String> variables) {
    return new ReaderSettings(
        repository, keys, clock, variables, scratch, openCatalogBytes, oldestPublishedSeconds);
  }

  public ReaderSettings withScratch(Path folder) {
    return new ReaderSettings(
        repository, keys, clock, environment, folder, openCatalogBytes, oldestPublishedSeconds);
  }

  public ReaderSettings withOpenCatalogBytes(long bytes) {
    return new ReaderSettings(
        repository, keys, clock, environment, scratch, bytes, oldestPublishedSeconds);
  }

  public ReaderSettings withOldestPublishedSeconds(long seconds) {
    return new ReaderSettings(
        repository, keys, clock, environment, scratch, openCatalogBytes, seconds);
  }
}
