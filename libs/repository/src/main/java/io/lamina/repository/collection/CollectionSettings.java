package io.lamina.repository.collection;

import io.lamina.storage.ObjectStore;
import java.nio.file.Path;
import java.time.Duration;

/**
 * How a collection goes about. Immutable.
 *
 * @param grace what was stored, or found in place by a writer, later than so long ago stays in any
 *     case
 * @param history revisions that were the newest within this time stay
 * @param revisions so many of the latest revisions stay however old they are
 * @param threads that read catalogs at once
 * @param workFolder where the lists go that memory has no room for; made if it is missing
 */
public record CollectionSettings(
    Duration grace, Duration history, int revisions, int threads, Path workFolder) {
  public static final Duration DEFAULT_GRACE = Duration.ofDays(7);
  public static final Duration DEFAULT_HISTORY = Duration.ofDays(30);
  public static final int DEFAULT_REVISIONS = 10;
  private static final Duration LEAST_HISTORY = Duration.ofDays(1);
  private static final int MAX_THREADS = 64;

  public CollectionSettings {
    if (grace.compareTo(ObjectStore.LEAST_GRACE) < 0) {
      throw new IllegalArgumentException(
          "the grace period is at least "
              + ObjectStore.LEAST_GRACE.toHours()
              + " h, since conversions rely on what they find; not "
              + grace);
    }
    if (history.compareTo(LEAST_HISTORY) < 0 || revisions < 1) {
      throw new IllegalArgumentException(
          "clients may look at a revision of yesterday: at least 1 day of history and 1 revision"
              + " stay, not "
              + history
              + " and "
              + revisions);
    }
    if (threads < 1 || threads > MAX_THREADS) {
      throw new IllegalArgumentException("1 to " + MAX_THREADS + " threads, not " + threads);
    }
  }

  public static CollectionSettings inFolder(Path workFolder) {
    return new CollectionSettings(DEFAULT_GRACE, DEFAULT_HISTORY, DEFAULT_REVISIONS, 4, workFolder);
  }
}
