package io.lamina.image.registry;

import java.time.Duration;

/**
 * How long a registry may take. Immutable.
 *
 * @param connect until a connection is there
 * @param headers from the request to the answer's headers
 * @param stall without a single byte of a body
 * @param document for a whole manifest, config, token or list
 * @param permit for one of the registry's concurrent requests to end, so that the next may start
 */
public record Timeouts(
    Duration connect, Duration headers, Duration stall, Duration document, Duration permit) {
  public static final Timeouts DEFAULT =
      new Timeouts(
          Duration.ofSeconds(15),
          Duration.ofSeconds(60),
          Duration.ofSeconds(60),
          Duration.ofMinutes(2),
          Duration.ofMinutes(10));

  public Timeouts {
    for (Duration each : new Duration[] {connect, headers, stall, document, permit}) {
      if (each.isNegative() || each.isZero() || each.compareTo(Duration.ofHours(1)) > 0) {
        throw new IllegalArgumentException("a time-out lies in (0, 1h], not " + each);
      }
    }
  }
}
