package io.lamina.gateway.http;

import io.lamina.gateway.problem.GatewayException;
import io.lamina.gateway.problem.ProblemType;
import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import java.time.Duration;
import java.util.concurrent.atomic.AtomicInteger;

/** A bound on how many of something are there at once; refuses at the bound. Thread-safe. */
final class Limit {
  private static final Duration RETRY_AFTER = Duration.ofSeconds(5);

  private final String what;
  private final int max;
  private final AtomicInteger inUse = new AtomicInteger();
  private final Counter rejected;

  /**
   * @param what for messages, in the plural
   * @param meter prefix of its three meters
   */
  Limit(String what, String meter, int max, MeterRegistry metrics) {
    this.what = what;
    this.max = max;
    this.rejected = metrics.counter(meter + ".rejected");
    Gauge.builder(meter + ".in.use", inUse, AtomicInteger::get).register(metrics);
    Gauge.builder(meter + ".max", () -> max).register(metrics);
  }

  boolean tryAcquire() {
    if (inUse.incrementAndGet() > max) {
      inUse.decrementAndGet();
      rejected.increment();
      return false;
    }
    return true;
  }

  /**
   * @throws GatewayException.Refused at the bound
   */
  void acquire() {
    if (!tryAcquire()) {
      throw new GatewayException.Refused(
          ProblemType.TOO_MANY_REQUESTS,
          max + " " + what + " are under way, which is the bound; try again later",
          RETRY_AFTER);
    }
  }

  void release() {
    inUse.decrementAndGet();
  }
}
