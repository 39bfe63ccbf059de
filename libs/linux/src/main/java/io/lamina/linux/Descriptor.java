package io.lamina.linux;

import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Supplier;

/** One open file description, closed once. Thread-safe, but for the use of what is closed. */
final class Descriptor implements AutoCloseable {
  private static final int CLOSED = -1;

  private final AtomicInteger number;
  private final Supplier<String> subject;

  /**
   * @param subject what was opened, for messages, which are seldom needed
   */
  Descriptor(long number, Supplier<String> subject) {
    this.number = new AtomicInteger(Math.toIntExact(number));
    this.subject = subject;
  }

  int number() {
    int open = number.get();
    if (open == CLOSED) {
      throw new IllegalStateException(subject() + " was closed");
    }
    return open;
  }

  String subject() {
    return subject.get();
  }

  @Override
  public void close() {
    int open = number.getAndSet(CLOSED);
    if (open != CLOSED) {
      // Nothing here is written through the descriptor that a close could still lose, but data
      // of network file systems, which are only read.
      long ignored = Native.call(Call.CLOSE, open);
    }
  }
}
