package io.lamina.messaging;

import java.time.Duration;
import java.util.random.RandomGenerator;

/**
 * How often and after which pauses something is tried again. Immutable.
 *
 * @param maxAttempts 1 or more; for what is waited for without limit only the pauses count
 * @param firstPause doubled after each attempt
 * @param maxPause the longest
 */
public record Retries(int maxAttempts, Duration firstPause, Duration maxPause) {
  public static final Retries STANDARD =
      new Retries(4, Duration.ofMillis(500), Duration.ofSeconds(30));

  public Retries {
    if (maxAttempts < 1 || firstPause.isNegative() || maxPause.compareTo(firstPause) < 0) {
      throw new MessagingException.Rejected(
          "retries: " + maxAttempts + " attempts, pauses " + firstPause + " to " + maxPause);
    }
  }

  /**
   * The pause after this many failed attempts: between half of it and all of it, at random, so that
   * many who failed at once do not come back at once.
   */
  public Duration pauseAfter(int failures, RandomGenerator random) {
    int doublings = Math.clamp(failures - 1L, 0, 20);
    long full = Math.min(maxPause.toNanos(), firstPause.toNanos() << doublings);
    return Duration.ofNanos(full / 2 + (full < 2 ? 0 : random.nextLong(full / 2 + 1)));
  }
}
