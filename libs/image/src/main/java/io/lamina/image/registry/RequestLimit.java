package io.lamina.image.registry;

import io.lamina.image.ImageException;
import java.time.Duration;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.LongAdder;

/** How many requests and open bodies one registry gets at once; fair; the rest waits. */
final class RequestLimit {
  private final String registry;
  private final int max;
  private final Duration patience;
  private final Semaphore permits;
  private final LongAdder rejected = new LongAdder();

  RequestLimit(String registry, int max, Duration patience) {
    this.registry = registry;
    this.max = max;
    this.patience = patience;
    this.permits = new Semaphore(max, true);
  }

  /** One request's place; giving it back twice is harmless. */
  interface Permit extends AutoCloseable {
    @Override
    void close();
  }

  /**
   * @throws ImageException.Retryable if no request ended in time
   */
  Permit acquire() throws InterruptedException {
    if (!permits.tryAcquire(patience.toNanos(), TimeUnit.NANOSECONDS)) {
      rejected.increment();
      throw new ImageException.Retryable(
          "none of the "
              + max
              + " requests to "
              + registry
              + " ended within "
              + patience
              + "; close blobs that are not read, or raise the limit",
          null,
          null);
    }
    AtomicBoolean isHeld = new AtomicBoolean(true);
    return () -> {
      if (isHeld.compareAndSet(true, false)) {
        permits.release();
      }
    };
  }

  RegistryLoad load() {
    return new RegistryLoad(max - permits.availablePermits(), max, rejected.sum());
  }
}
