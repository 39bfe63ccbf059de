package io.lamina.messaging;

import java.time.Duration;
import java.util.function.BooleanSupplier;

/** Waits for what other threads and the broker bring about, for a bounded time. */
final class Waiting {
  private static final Duration LOOK = Duration.ofMillis(20);

  private Waiting() {}

  static void until(String what, Duration timeout, BooleanSupplier condition)
      throws InterruptedException {
    long deadline = System.nanoTime() + timeout.toNanos();
    while (!condition.getAsBoolean()) {
      if (System.nanoTime() - deadline > 0) {
        throw new AssertionError("not within " + timeout + ": " + what);
      }
      Thread.sleep(LOOK);
    }
  }

  static void until(String what, BooleanSupplier condition) throws InterruptedException {
    until(what, Duration.ofSeconds(30), condition);
  }
}
