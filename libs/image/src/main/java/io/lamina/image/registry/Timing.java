package io.lamina.image.registry;

import java.time.Clock;
import java.time.Duration;
import java.util.concurrent.ThreadLocalRandom;
import java.util.random.RandomGenerator;

/**
 * Time and chance, so that tests can hold them. Thread-safe if its parts are.
 *
 * @param clock for the age of tokens and for dates that registries name
 * @param random for the jitter of waits
 * @param sleeper for the waits themselves
 */
public record Timing(Clock clock, RandomGenerator random, Sleeper sleeper) {
  /** Waits. */
  public interface Sleeper {
    void sleep(Duration duration) throws InterruptedException;
  }

  /** The real ones. */
  public static Timing system() {
    return new Timing(
        Clock.systemUTC(), () -> ThreadLocalRandom.current().nextLong(), Thread::sleep);
  }
}
