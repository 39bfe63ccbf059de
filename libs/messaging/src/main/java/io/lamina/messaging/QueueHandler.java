package io.lamina.messaging;

import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;

/** Does the work of one record of a work queue. Thread-safe: several records at once. */
@FunctionalInterface
public interface QueueHandler {
  /**
   * Does the work and returns what is to be said about it. The events are written before the record
   * counts as done; a crash in between does the work again.
   *
   * @throws RuntimeException as the worker's {@link FailurePolicy} understands it
   */
  List<Outgoing> handle(Delivery delivery);

  /** A record is set aside as a dead letter: the events that tell those who wait for it. */
  default List<Outgoing> abandoned(Received record, Throwable cause) {
    return List.of();
  }

  /**
   * A record and its circumstances.
   *
   * @param attempt 1 for the first delivery; counts those that crashed
   * @param stopRequested set when the worker stops: end soon, by an exception if the work is not
   *     done
   */
  record Delivery(Received record, int attempt, AtomicBoolean stopRequested) {
    public boolean isStopping() {
      return stopRequested.get();
    }
  }
}
