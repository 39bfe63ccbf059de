package io.lamina.publisher;

import java.time.Duration;
import java.util.Optional;

/**
 * Settings of a publisher process. Immutable.
 *
 * @param instance a name that this publisher keeps over restarts, unique among all publishers: it
 *     gets its repositories back at once after a kill
 * @param maxBatch most events that share a transaction
 * @param maxUnfinished requests that may wait at once in one repository
 * @param maxTrees different layers and merged trees that these may need together
 * @param interactiveWindow pieces of work of one repository that may be in the converters' queue at
 *     once for interactive requests
 * @param bulkWindow the same for bulk requests
 * @param whitelistLeft how long before its expiry a whitelist is signed anew
 * @param whitelistLife for how long it is signed
 * @param whitelistInterval how often its expiry is looked at
 * @param collections when and how what nothing refers to is removed
 */
public record PublisherSettings(
    Optional<String> instance,
    int maxBatch,
    int maxUnfinished,
    int maxTrees,
    int interactiveWindow,
    int bulkWindow,
    Duration whitelistLeft,
    Duration whitelistLife,
    Duration whitelistInterval,
    CollectionRules collections) {
  // Before the constant that the constructor checks.
  private static final int MAX_BATCH = 5_000;

  public static final PublisherSettings DEFAULT =
      new PublisherSettings(
          Optional.empty(),
          200,
          CoordinatorSettings.DEFAULT.maxUnfinished(),
          CoordinatorSettings.DEFAULT.maxTrees(),
          CoordinatorSettings.DEFAULT.interactiveWindow(),
          CoordinatorSettings.DEFAULT.bulkWindow(),
          Duration.ofDays(10),
          Duration.ofDays(30),
          Duration.ofHours(1),
          CollectionRules.DEFAULT);

  public PublisherSettings {
    if (maxBatch < 1 || maxBatch > MAX_BATCH) {
      throw new IllegalArgumentException(
          "a batch has 1 to " + MAX_BATCH + " events, not " + maxBatch);
    }
    if (interactiveWindow < 1 || bulkWindow < 1) {
      throw new IllegalArgumentException(
          "the windows must be at least 1: " + interactiveWindow + ", " + bulkWindow);
    }
    if (maxUnfinished < 1 || maxTrees < 1) {
      throw new IllegalArgumentException(
          "maxUnfinished and maxTrees must be at least 1: " + maxUnfinished + ", " + maxTrees);
    }
    if (whitelistLeft.compareTo(whitelistLife) >= 0) {
      throw new IllegalArgumentException(
          "a whitelist that lives "
              + whitelistLife
              + " cannot be renewed "
              + whitelistLeft
              + " before its end");
    }
  }

  public PublisherSettings withInstance(String newInstance) {
    return new PublisherSettings(
        Optional.of(newInstance),
        maxBatch,
        maxUnfinished,
        maxTrees,
        interactiveWindow,
        bulkWindow,
        whitelistLeft,
        whitelistLife,
        whitelistInterval,
        collections);
  }

  public PublisherSettings withWindows(int newInteractiveWindow, int newBulkWindow) {
    return new PublisherSettings(
        instance,
        maxBatch,
        maxUnfinished,
        maxTrees,
        newInteractiveWindow,
        newBulkWindow,
        whitelistLeft,
        whitelistLife,
        whitelistInterval,
        collections);
  }

  public PublisherSettings withCollections(CollectionRules newCollections) {
    return new PublisherSettings(
        instance,
        maxBatch,
        maxUnfinished,
        maxTrees,
        interactiveWindow,
        bulkWindow,
        whitelistLeft,
        whitelistLife,
        whitelistInterval,
        newCollections);
  }
}
