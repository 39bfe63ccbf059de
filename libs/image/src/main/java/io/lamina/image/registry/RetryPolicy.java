package io.lamina.image.registry;

import java.time.Duration;

/**
 * How often and how soon a failed request is made again. Immutable.
 *
 * @param attempts requests in all, 1 or more
 * @param firstWait before the second attempt; doubles with each further one, ±25 % at random
 * @param longestWait at most this between two attempts; a registry that asks for more patience ends
 *     the attempts, and the failure carries its wish
 */
public record RetryPolicy(int attempts, Duration firstWait, Duration longestWait) {
  public static final RetryPolicy DEFAULT =
      new RetryPolicy(5, Duration.ofMillis(500), Duration.ofSeconds(60));

  public RetryPolicy {
    if (attempts < 1 || attempts > 100) {
      throw new IllegalArgumentException("attempts lie in 1..100, not " + attempts);
    }
    if (firstWait.isNegative() || longestWait.compareTo(firstWait) < 0) {
      throw new IllegalArgumentException(
          "not 0 <= first wait <= longest wait: " + firstWait + ", " + longestWait);
    }
  }
}
