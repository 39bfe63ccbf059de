package io.lamina.converter;

import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import java.util.concurrent.Semaphore;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * A bound on how much of something happens at once; who comes later waits, in order. Thread-safe.
 *
 * <p>Metrics, with the label {@code limit}: {@code converter.permits.used}, {@code .max}, {@code
 * .waiting}.
 */
public final class Limit {
  private final Semaphore permits;
  private final int max;
  private final AtomicInteger waiting = new AtomicInteger();

  public Limit(String name, int max, MeterRegistry meters) {
    if (max < 1) {
      throw new IllegalArgumentException("limit '" + name + "' of " + max);
    }
    this.max = max;
    this.permits = new Semaphore(max, true);
    Gauge.builder("converter.permits.used", this, Limit::used).tag("limit", name).register(meters);
    Gauge.builder("converter.permits.max", () -> max).tag("limit", name).register(meters);
    Gauge.builder("converter.permits.waiting", waiting, AtomicInteger::get)
        .tag("limit", name)
        .register(meters);
  }

  private Limit(int max) {
    this.max = max;
    this.permits = new Semaphore(max, true);
  }

  /** For a bound that lives as long as one call. */
  public static Limit unmeasured(int max) {
    return new Limit(max);
  }

  /** Waits for a permit; closing it gives it back. */
  public Permit acquire() throws InterruptedException {
    waiting.incrementAndGet();
    try {
      permits.acquire();
    } finally {
      waiting.decrementAndGet();
    }
    return new Permit();
  }

  /** How many permits are out. */
  public int used() {
    return max - permits.availablePermits();
  }

  /** The right to do one thing at a time; for one thread. */
  public final class Permit implements AutoCloseable {
    private boolean returned;

    private Permit() {}

    @Override
    public void close() {
      if (!returned) {
        returned = true;
        permits.release();
      }
    }
  }
}
