package io.lamina.image.registry;

import java.io.IOException;
import java.net.URI;
import java.net.http.HttpRequest;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * One kind of request to a registry: how it is asked, and what its answer means. Making it again is
 * always safe.
 */
interface RegistryAction<T> {
  /** For messages: {@code manifest latest}. */
  String what();

  default String method() {
    return "GET";
  }

  URI uri(Endpoint endpoint, String repository);

  default Map<String, String> headers() {
    return Map.of();
  }

  default HttpRequest.BodyPublisher body() {
    return HttpRequest.BodyPublishers.noBody();
  }

  /** Added to the time for the answer's headers, since a body must be sent first. */
  default Duration sendingTime() {
    return Duration.ZERO;
  }

  default boolean isPush() {
    return false;
  }

  /** The statuses that {@link #handle} understands; all others are failures. */
  Set<Integer> statuses();

  /**
   * Reads an answer with one of {@link #statuses}. The session closes it afterwards unless {@link
   * #keepsAnswerOpen}.
   */
  T handle(HttpAnswer answer) throws IOException;

  /** Whether the result owns the answer and closes it. */
  default boolean keepsAnswerOpen() {
    return false;
  }

  /** A further scope, for what is read from another repository. */
  default Optional<String> otherScope() {
    return Optional.empty();
  }
}
