package io.lamina.storage;

import java.security.SecureRandom;
import java.time.Clock;
import java.util.random.RandomGenerator;

/** Opens the store that a location names, with the standard settings. Stateless. */
public final class ObjectStores {
  private ObjectStores() {}

  /**
   * @throws StorageException.Rejected if the folder or the credentials file cannot be used
   */
  public static ObjectStore open(StorageLocation location) {
    return open(location, HeaderPolicy.cvmfs(), Clock.systemUTC(), new SecureRandom());
  }

  /** As {@link #open(StorageLocation)}, with everything that varies given. */
  public static ObjectStore open(
      StorageLocation location, HeaderPolicy headers, Clock clock, RandomGenerator random) {
    return switch (location) {
      case StorageLocation.Local(var folder) ->
          LocalObjectStore.open(folder, LocalObjectStore.Settings.STANDARD, clock, random);
      case StorageLocation.S3 s3 ->
          S3ObjectStore.open(s3, S3ObjectStore.Settings.STANDARD, headers, random);
    };
  }
}
