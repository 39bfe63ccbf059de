package io.lamina.messaging.event;

import java.util.Optional;

/**
 * Which images stay. An image stays if one of the conditions keeps it. Immutable.
 *
 * @param keepLast of the tags and digests of one name so many that were published latest; 0 for no
 *     such condition
 * @param newerThanSeconds images that were published within this time before the request
 * @param dryRun only tell what would go
 */
public record Retention(int keepLast, Optional<Long> newerThanSeconds, boolean dryRun) {
  /**
   * @throws IllegalArgumentException if no condition is given, or one is out of bounds
   */
  public Retention {
    if (keepLast < 0
        || newerThanSeconds.filter(seconds -> seconds <= 0).isPresent()
        || (keepLast == 0 && newerThanSeconds.isEmpty())) {
      throw new IllegalArgumentException(
          "a rule keeps the last 1 and more, or what is newer than a time; not "
              + keepLast
              + " and "
              + newerThanSeconds);
    }
  }
}
