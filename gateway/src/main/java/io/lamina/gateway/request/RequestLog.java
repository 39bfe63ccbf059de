package io.lamina.gateway.request;

import io.lamina.messaging.event.Event;
import java.util.List;
import java.util.concurrent.CompletionStage;

/** Where accepted requests are written down. Thread-safe, never blocks. */
public interface RequestLog {
  /**
   * Appends events in this order, each to its own topic and durable before the next is written.
   *
   * @return completes when all are acknowledged; fails with {@link
   *     io.lamina.gateway.problem.GatewayException.Retryable} when one was not, those after it then
   *     being unwritten, or with {@code Refused} when too much waits to be written
   */
  CompletionStage<Void> append(List<Event> events, TraceContext trace);
}
