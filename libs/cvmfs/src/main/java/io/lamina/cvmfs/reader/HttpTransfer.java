package io.lamina.cvmfs.reader;

import io.lamina.cvmfs.CvmfsException;
import java.net.InetSocketAddress;
import java.net.ProxySelector;
import java.net.http.HttpClient;
import java.time.Duration;
import java.util.Optional;

/**
 * How files are fetched over HTTP. Immutable.
 *
 * @param timeout for connecting, for the answer's first byte, and for each wait inside a file; at
 *     least a millisecond
 * @param minBytesPerSecond a server that gives less over a whole time-out is given up; 0 for any
 * @param proxies through which to go; empty for what the JVM's system properties say
 */
public record HttpTransfer(
    Duration timeout, long minBytesPerSecond, Optional<ProxySelector> proxies) {
  public HttpTransfer {
    if (timeout.toMillis() < 1 || minBytesPerSecond < 0) {
      throw new CvmfsException.Rejected(
          "a transfer needs a positive time-out and no negative speed, not "
              + timeout
              + " and "
              + minBytesPerSecond
              + " bytes a second");
    }
  }

  /** At any speed, through the system's proxies. */
  static HttpTransfer within(Duration timeout) {
    return new HttpTransfer(timeout, 0, Optional.empty());
  }

  /** Without any proxy. */
  public static HttpTransfer direct(Duration timeout, long minBytesPerSecond) {
    return new HttpTransfer(timeout, minBytesPerSecond, Optional.of(HttpClient.Builder.NO_PROXY));
  }

  /** Through one proxy. */
  public static HttpTransfer through(
      InetSocketAddress proxy, Duration timeout, long minBytesPerSecond) {
    return new HttpTransfer(timeout, minBytesPerSecond, Optional.of(ProxySelector.of(proxy)));
  }
}
