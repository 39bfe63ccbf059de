package io.lamina.gateway.request;

import io.lamina.messaging.event.Event;
import java.util.function.Consumer;

/** Brings all statuses and transactions from the beginning, and then each new one. Thread-safe. */
public interface EventFeed extends Readiness, AutoCloseable {
  /**
   * Starts reading in the background.
   *
   * @param fold called for each event in its topic's order, by one thread per topic
   * @param caughtUp called once, when everything that was there at the start has been folded
   */
  void start(Consumer<Event> fold, Runnable caughtUp);

  @Override
  void close();
}
