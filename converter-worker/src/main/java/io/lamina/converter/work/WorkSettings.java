package io.lamina.converter.work;

import io.lamina.converter.Backoff;
import java.time.Duration;

/**
 * How the queue's work is done. Immutable.
 *
 * @param slots pieces of work at once in this process; decides memory and temporary disk
 * @param merges of these, merges of images
 * @param retries within one delivery, for passing failures
 * @param doubtfulTries how often bytes with a wrong digest are fetched again, the first included
 * @param progressInterval least time between two progress reports of one piece of work
 */
public record WorkSettings(
    int slots, int merges, Backoff retries, int doubtfulTries, Duration progressInterval) {
  /**
   * Below the deliveries of a piece of work: a process that is killed can cost as many of them as
   * it has slots (docs/protocol/topics.md, "Share groups").
   */
  public static final int MAX_SLOTS = 7;

  public static final WorkSettings DEFAULT =
      new WorkSettings(
          Math.clamp(Runtime.getRuntime().availableProcessors(), 2, MAX_SLOTS),
          2,
          new Backoff(4, Duration.ofSeconds(1), Duration.ofMinutes(2)),
          3,
          Duration.ofMillis(500));

  public WorkSettings {
    if (slots < 1 || merges < 1 || doubtfulTries < 1) {
      throw new IllegalArgumentException(
          "work settings below 1: "
              + slots
              + " slots, "
              + merges
              + " merges, "
              + doubtfulTries
              + " tries");
    }
    if (progressInterval.isNegative()) {
      throw new IllegalArgumentException("progress interval of " + progressInterval);
    }
  }
}
