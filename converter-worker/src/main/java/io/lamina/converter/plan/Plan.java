package io.lamina.converter.plan;

import io.lamina.messaging.event.Event.ImagePlanned;
import io.lamina.messaging.event.Event.RequestStatus;

/** What becomes of a request; each carries the status that its requester sees. Immutable. */
public sealed interface Plan {
  RequestStatus status();

  /** The publisher can go on. */
  record Ready(ImagePlanned image, RequestStatus status) implements Plan {}

  /** The request can never succeed as it is. */
  record Refused(RequestStatus status) implements Plan {}

  /** It may succeed another time; the request is worth keeping for people to try again. */
  record GivenUp(RequestStatus status, String cause) implements Plan {}
}
