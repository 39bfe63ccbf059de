package io.lamina.converter;

import java.time.Duration;

/** Lets time pass between tries. Thread-safe. */
@FunctionalInterface
public interface Pause {
  /** Sleeps on this thread. */
  Pause SLEEPING = Thread::sleep;

  void pause(Duration length) throws InterruptedException;
}
