package io.lamina.converter.work;

import io.lamina.messaging.event.Event;
import io.lamina.messaging.event.Event.WorkFailed;

/** How a delivery of a piece of work ends. Immutable. */
public sealed interface Answer {
  /** It is done: say so, then take it off the queue. */
  record Done(Event result) implements Answer {}

  /** It can never be done: say so, then take it off the queue. */
  record Failed(WorkFailed result) implements Answer {}

  /** More tries here and now are no use; people may try again another time. */
  record GivenUp(String reason) implements Answer {}

  /** Hand it out again, to this converter or another one. */
  record Again(String reason) implements Answer {}
}
