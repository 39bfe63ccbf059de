package io.lamina.converter;

import java.time.Duration;
import java.util.Optional;
import java.util.random.RandomGenerator;

/**
 * How often something is tried and how long the pauses are. Immutable.
 *
 * @param tries all of them, the first included; 1 or more
 * @param first pause after the first failure; doubled after each further one
 * @param longest no pause is longer; a server that asks for a longer one is not asked again
 */
public record Backoff(int tries, Duration first, Duration longest) {
  private static final int MAX_DOUBLINGS = 20;

  public Backoff {
    if (tries < 1 || first.isNegative() || first.isZero() || longest.compareTo(first) < 0) {
      throw new IllegalArgumentException(
          "back-off of " + tries + " tries, pauses " + first + " to " + longest);
    }
  }

  /**
   * How long to wait after the {@code failed}-th failed try (1, 2, …): half to all of the doubled
   * pause, and never less than the other side asked for.
   *
   * @return empty if there is no further try, or the other side asks for more than {@link #longest}
   */
  public Optional<Duration> pauseAfter(
      int failed, Optional<Duration> retryAfter, RandomGenerator random) {
    if (failed >= tries || retryAfter.filter(asked -> asked.compareTo(longest) > 0).isPresent()) {
      return Optional.empty();
    }
    long full =
        Math.min(
            longest.toMillis(), first.toMillis() * (1L << Math.min(failed - 1, MAX_DOUBLINGS)));
    Duration jittered = Duration.ofMillis(full / 2 + random.nextLong(full - full / 2 + 1));
    return Optional.of(retryAfter.filter(asked -> asked.compareTo(jittered) > 0).orElse(jittered));
  }
}
