package io.lamina.converter.plan;

import io.lamina.converter.Backoff;
import java.time.Duration;

/**
 * How requests are planned. Immutable.
 *
 * @param concurrent plans that are made at once by this process
 * @param perRegistry of these, for images of one registry; so that a slow one leaves room for
 *     others
 * @param platformsAtOnce platforms of one image that are resolved at once
 * @param deadline for one try to resolve all platforms of an image and to store their files
 * @param retries for passing failures
 * @param doubtfulTries how often an answer with a wrong digest is asked for again, the first
 *     included
 * @param maxLayers of all platforms of one image together; a plan has to fit into one record
 * @param cacheFor how long a resolved manifest may be used again (its digest is asked each time)
 * @param cacheBytes bound of the manifests and configs that are kept
 */
public record PlannerSettings(
    int concurrent,
    int perRegistry,
    int platformsAtOnce,
    Duration deadline,
    Backoff retries,
    int doubtfulTries,
    int maxLayers,
    Duration cacheFor,
    long cacheBytes) {
  public static final PlannerSettings DEFAULT =
      new PlannerSettings(
          16,
          8,
          4,
          Duration.ofMinutes(2),
          new Backoff(6, Duration.ofSeconds(1), Duration.ofMinutes(2)),
          3,
          2000,
          Duration.ofMinutes(10),
          32L << 20);

  public PlannerSettings {
    if (concurrent < 1
        || perRegistry < 1
        || platformsAtOnce < 1
        || doubtfulTries < 1
        || maxLayers < 1
        || cacheBytes < 0
        || deadline.isNegative()
        || deadline.isZero()
        || cacheFor.isNegative()) {
      throw new IllegalArgumentException(
          "planner settings below their minimum: "
              + concurrent
              + " plans, "
              + perRegistry
              + " per registry, "
              + platformsAtOnce
              + " platforms, "
              + doubtfulTries
              + " tries, "
              + maxLayers
              + " layers, "
              + deadline
              + ", "
              + cacheFor
              + ", "
              + cacheBytes
              + " bytes");
    }
  }
}
