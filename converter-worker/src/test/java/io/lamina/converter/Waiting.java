package io.lamina.converter;

import java.time.Duration;
import java.util.Optional;
import java.util.function.BooleanSupplier;
import java.util.function.Supplier;

/** Waits for what other threads and processes do. */
final class Waiting {
  private static final Duration LOOK = Duration.ofMillis(20);
  private static final Duration USUAL = Duration.ofSeconds(60);

  private Waiting() {}

  static <T> T forValue(String what, Supplier<Optional<T>> look) throws InterruptedException {
    long deadline = System.nanoTime() + USUAL.toNanos();
    while (true) {
      Optional<T> found = look.get();
      if (found.isPresent()) {
        return found.get();
      }
      if (System.nanoTime() - deadline > 0) {
        throw new AssertionError("not within " + USUAL + ": " + what);
      }
      Thread.sleep(LOOK);
    }
  }

  static void until(String what, BooleanSupplier condition) throws InterruptedException {
    forValue(what, () -> condition.getAsBoolean() ? Optional.of(true) : Optional.empty());
  }
}
