package io.lamina.repository;

/** Measures consecutive laps. Not thread-safe. */
final class Stopwatch {
  private long last = System.nanoTime();

  /** Nanoseconds since the last lap. */
  long lap() {
    long now = System.nanoTime();
    long lap = now - last;
    last = now;
    return lap;
  }
}
