package io.lamina.standalone.client;

import java.time.Duration;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * The gateway did not do what was asked; the message is what it said, or why it was not reached.
 */
public final class GatewayException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  private final int status;
  private final @Nullable Duration retryAfter;

  GatewayException(int status, String message) {
    this(status, message, Optional.empty());
  }

  GatewayException(int status, String message, Optional<Duration> retryAfter) {
    super(message);
    this.status = status;
    this.retryAfter = retryAfter.orElse(null);
  }

  /** HTTP status; 0 if there was no answer. */
  public int status() {
    return status;
  }

  /** How long the gateway wants to be left alone. */
  public Optional<Duration> retryAfter() {
    return Optional.ofNullable(retryAfter);
  }
}
