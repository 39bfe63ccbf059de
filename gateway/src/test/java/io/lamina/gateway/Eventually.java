package io.lamina.gateway;

import java.time.Duration;
import java.util.function.BooleanSupplier;

/** Waits for what other threads bring about, for a bounded time. */
final class Eventually {
  private static final Duration TIMEOUT = Duration.ofSeconds(30);
  private static final Duration LOOK = Duration.ofMillis(20);

  private Eventually() {}

  static void is(BooleanSupplier condition) throws InterruptedException {
    long deadline = System.nanoTime() + TIMEOUT.toNanos();
    while (!condition.getAsBoolean()) {
      if (System.nanoTime() - deadline > 0) {
        throw new AssertionError("not within " + TIMEOUT);
      }
      Thread.sleep(LOOK);
    }
  }
}
