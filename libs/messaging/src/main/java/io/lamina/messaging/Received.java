package io.lamina.messaging;

import io.lamina.messaging.event.Event;
import java.time.Instant;
import java.util.Optional;

/**
 * An event as it was read. Immutable.
 *
 * @param event empty for a tombstone
 * @param traceParent W3C trace context of what caused it
 * @param writtenAt when the broker or producer stamped it
 */
public record Received(
    Position position,
    String key,
    Optional<Event> event,
    Optional<String> traceParent,
    Instant writtenAt) {

  /** Where a record lies. */
  public record Position(String topic, int partition, long offset) {
    @Override
    public String toString() {
      return topic + "-" + partition + "@" + offset;
    }
  }
}
