package io.lamina.messaging;

import io.lamina.messaging.event.Event;
import java.util.Optional;

/**
 * An event on its way to a topic. Immutable.
 *
 * @param key decides the partition and, on compacted topics, what is replaced
 * @param event empty for a tombstone, which deletes what a compacted topic has under the key
 * @param traceParent W3C trace context of what caused it
 */
public record Outgoing(
    Topic topic, String key, Optional<Event> event, Optional<String> traceParent) {

  /** To the event's own topic under its own key, as docs/protocol/topics.md says. */
  public static Outgoing of(Event event) {
    return new Outgoing(topicOf(event), keyOf(event), Optional.of(event), Optional.empty());
  }

  /** Deletes what a compacted topic has under the key that this event has there. */
  public static Outgoing deleting(Event event) {
    return new Outgoing(topicOf(event), keyOf(event), Optional.empty(), Optional.empty());
  }

  /** The same, as a consequence of what a received record is part of. */
  public Outgoing causedBy(Received cause) {
    return new Outgoing(topic, key, event, cause.traceParent());
  }

  public Outgoing tracedAs(Optional<String> newTraceParent) {
    return new Outgoing(topic, key, event, newTraceParent);
  }

  /** Where an event is said. */
  public static Topic topicOf(Event event) {
    return switch (event) {
      case Event.ConversionRequested _ -> Topic.CONVERSIONS;
      case Event.ImagePlanned _,
          Event.DiffCommitRequested _,
          Event.RemovalRequested _,
          Event.CollectionRequested _,
          Event.CollectionFinished _,
          Event.CancelRequested _,
          Event.LayerConverted _,
          Event.FlatMerged _,
          Event.ThinPushed _,
          Event.WorkFailed _,
          Event.WorkRetried _,
          Event.TransactionFollowed _ ->
          Topic.REPOSITORY;
      case Event.Work _ -> Topic.LAYERS;
      case Event.Pending _ -> Topic.PENDING;
      case Event.TransactionPublished _ -> Topic.PUBLISHED;
      case Event.RequestStatus _, Event.WorkProgress _ -> Topic.STATUS;
    };
  }

  /** Under which key. */
  public static String keyOf(Event event) {
    return switch (event) {
      case Event.ConversionRequested requested -> requested.image();
      case Event.Work work -> work.repository() + "/" + work.work();
      case Event.Pending pending -> pending.repository() + "/" + pending.noteKey();
      case Event.RequestStatus status -> status.request().value();
      case Event.WorkProgress progress -> progress.repository() + "/" + progress.work();
      case Event.ImagePlanned _,
          Event.DiffCommitRequested _,
          Event.RemovalRequested _,
          Event.CollectionRequested _,
          Event.CollectionFinished _,
          Event.CancelRequested _,
          Event.LayerConverted _,
          Event.FlatMerged _,
          Event.ThinPushed _,
          Event.WorkFailed _,
          Event.WorkRetried _,
          Event.TransactionFollowed _,
          Event.TransactionPublished _ ->
          event.repository().value();
    };
  }
}
