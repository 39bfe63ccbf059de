package io.lamina.gateway.request;

import io.lamina.messaging.event.Event;
import java.util.List;
import java.util.concurrent.CompletionStage;

/** Where accepted requests are written down. Thread-safe, never blocks. */
public interface RequestLog {
  /**
   * Appends events, each to its own topic: all of them or none.
   *
   * @return completes when they are durable; fails with {@link
   *     io.lamina.gateway.problem.GatewayException.Retryable} when it is not known that they are,
   *     or with {@code Refused} when too much waits to be written
   */
  CompletionStage<Void> append(List<Event> events, TraceContext trace);
}
