package io.lamina.node.commit;

import io.lamina.cvmfs.RepositoryName;
import io.lamina.image.Descriptor;
import io.lamina.storage.Content;
import io.lamina.storage.HeaderPolicy;
import io.lamina.storage.ObjectKey;
import io.lamina.storage.S3ObjectStore;
import io.lamina.storage.StorageException;
import io.lamina.storage.StorageLocation;
import io.lamina.storage.UploadArea;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.util.random.RandomGenerator;

/**
 * Sends archives to the repository's own bucket; converters verify them. A long one goes in parts,
 * and where an attempt broke off the next one goes on. Thread-safe.
 */
public final class StoredArchives implements LayerArchives {
  private static final String NAME = "@fqrn@";

  /** Longer archives go in parts of this length; of each commit, one is in memory. */
  private static final int PART_BYTES = 16 << 20;

  private static final Duration PAUSE = Duration.ofMillis(200);
  private static final Duration CONNECT = Duration.ofSeconds(5);
  private static final Duration TRANSFER = Duration.ofSeconds(30);

  private final String location;
  private final Clock clock;
  private final RandomGenerator random;
  private final int partBytes;

  /**
   * @param location in S3, with {@code @fqrn@} for the repository's name
   * @throws StorageException.Rejected if it is none
   */
  public StoredArchives(String location, Clock clock, RandomGenerator random) {
    this(location, clock, random, PART_BYTES);
  }

  StoredArchives(String location, Clock clock, RandomGenerator random, int partBytes) {
    this.location = location;
    this.clock = clock;
    this.random = random;
    this.partBytes = partBytes;
    of("repository.example.org");
  }

  private StorageLocation.S3 of(String repository) {
    if (StorageLocation.parse(location.replace(NAME, repository))
        instanceof StorageLocation.S3 s3) {
      return s3;
    }
    throw new StorageException.Rejected(
        "archives are sent to s3:… or through the gateway, not to '" + location + "'");
  }

  @Override
  public void put(RepositoryName repository, Descriptor archive, Path file, Duration deadline)
      throws Away, Refused {
    StorageLocation.S3 place = of(repository.value());
    // One attempt: the caller decides how often, by its deadline.
    S3ObjectStore.Settings settings =
        new S3ObjectStore.Settings(
            4, 1, PAUSE, CONNECT, TRANSFER, S3ObjectStore.Settings.STANDARD.sweepReaction());
    long began = System.nanoTime();
    ObjectKey key = UploadArea.keyOf(archive.digest().hex());
    try (S3ObjectStore store =
        S3ObjectStore.open(place, settings, HeaderPolicy.cvmfs(), clock, random)) {
      if (archive.sizeBytes() <= partBytes) {
        store.putIfAbsent(key, Content.of(file));
      } else {
        store.dropForgottenParts(UploadArea.PREFIX);
        store.putInParts(
            key,
            file,
            archive.sizeBytes(),
            partBytes,
            () -> System.nanoTime() - began < deadline.toNanos());
      }
    } catch (StorageException.Retryable
        | StorageException.OutcomeUnknown
        | StorageException.Exhausted e) {
      throw new Away("the store " + place.endpoint() + " cannot be reached: " + e.getMessage(), e);
    } catch (StorageException e) {
      throw new Refused("the store " + place.endpoint() + " refuses: " + e.getMessage(), e);
    } catch (IOException e) {
      throw new Refused("the archive cannot be read: " + e, e);
    }
  }
}
