package io.lamina.repository;

import io.lamina.storage.HeaderPolicy;
import io.lamina.storage.LocalObjectStore;
import io.lamina.storage.LocalObjectStore.Settings;
import io.lamina.storage.LocalObjectStore.Settings.Flushing;
import io.lamina.storage.S3ObjectStore;
import io.lamina.storage.StorageLocation;
import java.time.Clock;
import java.util.random.RandomGenerator;

/** How processes open the stores of repositories. */
public final class StoreOpeners {
  private StoreOpeners() {}

  /**
   * For publishers: a transaction waits for its own few files, not for everything that converters
   * have written to the same file system meanwhile.
   *
   * @param random thread-safe
   */
  public static StoreOpener forPublishers(Clock clock, RandomGenerator random) {
    return opener(Flushing.FILE_BY_FILE, clock, random);
  }

  /**
   * For converters: thousands of files become durable in one call.
   *
   * @param random thread-safe
   */
  public static StoreOpener forConverters(Clock clock, RandomGenerator random) {
    return opener(Flushing.FILE_SYSTEM, clock, random);
  }

  private static StoreOpener opener(Flushing flushing, Clock clock, RandomGenerator random) {
    Settings settings =
        new Settings(
            Settings.STANDARD.temporaryFolder(), Settings.STANDARD.leftoverAge(), flushing);
    return location ->
        switch (location) {
          case StorageLocation.Local local ->
              LocalObjectStore.open(local.folder(), settings, clock, random);
          case StorageLocation.S3 s3 ->
              S3ObjectStore.open(
                  s3, S3ObjectStore.Settings.STANDARD, HeaderPolicy.cvmfs(), clock, random);
        };
  }
}
