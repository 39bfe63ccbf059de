package io.lamina.node.commit;

import java.time.Duration;

/** A moment by which something must be done. Immutable. */
record Deadline(long atNanos) {
  static Deadline in(Duration time) {
    return new Deadline(System.nanoTime() + time.toNanos());
  }

  Duration left() {
    return Duration.ofNanos(Math.max(0, atNanos - System.nanoTime()));
  }

  boolean isOver() {
    return left().isZero();
  }
}
