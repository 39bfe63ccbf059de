package io.lamina.client.net;

import io.lamina.client.failure.ClientException;
import java.time.Duration;

/**
 * How patient the client is with servers. Immutable.
 *
 * @param proxies in groups; see {@link Proxies#parse}
 * @param timeout through a proxy: for connecting, for the answer, and for each wait inside a file
 * @param directTimeout the same without a proxy
 * @param minBytesPerSecond a server that gives less over a time-out is given up
 * @param retries rounds through all servers after the first
 * @param firstBackoff wait before the first of these rounds; doubles with each, a random part of it
 * @param maxBackoff the longest such wait, and how long servers that all failed are left alone
 */
public record NetworkSettings(
    Proxies proxies,
    Duration timeout,
    Duration directTimeout,
    long minBytesPerSecond,
    int retries,
    Duration firstBackoff,
    Duration maxBackoff) {
  private static final int MAX_RETRIES = 20;

  /** The original client's numbers, without proxies, with a shorter first wait. */
  public static final NetworkSettings DEFAULT =
      new NetworkSettings(
          Proxies.DIRECT,
          Duration.ofSeconds(5),
          Duration.ofSeconds(10),
          1024,
          1,
          Duration.ofMillis(500),
          Duration.ofSeconds(10));

  public NetworkSettings {
    if (timeout.toMillis() < 1
        || directTimeout.toMillis() < 1
        || minBytesPerSecond < 0
        || retries < 0
        || retries > MAX_RETRIES
        || firstBackoff.isNegative()
        || maxBackoff.compareTo(firstBackoff) < 0) {
      throw new ClientException.Rejected(
          "time-outs must be positive, retries 0 to "
              + MAX_RETRIES
              + ", and the longest wait not below the first: "
              + timeout
              + ", "
              + directTimeout
              + ", "
              + retries
              + ", "
              + firstBackoff
              + ", "
              + maxBackoff);
    }
  }

  public NetworkSettings withProxies(Proxies groups) {
    return new NetworkSettings(
        groups, timeout, directTimeout, minBytesPerSecond, retries, firstBackoff, maxBackoff);
  }

  /** Both time-outs. */
  public NetworkSettings withTimeout(Duration each) {
    return new NetworkSettings(
        proxies, each, each, minBytesPerSecond, retries, firstBackoff, maxBackoff);
  }

  public NetworkSettings withBackoff(Duration first, Duration longest) {
    return new NetworkSettings(
        proxies, timeout, directTimeout, minBytesPerSecond, retries, first, longest);
  }

  public NetworkSettings withRetries(int rounds) {
    return new NetworkSettings(
        proxies, timeout, directTimeout, minBytesPerSecond, rounds, firstBackoff, maxBackoff);
  }
}
