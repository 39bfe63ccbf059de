package io.lamina.standalone.client;

/**
 * The gateway did not do what was asked; the message is what it said, or why it was not reached.
 */
public final class GatewayException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  private final int status;

  GatewayException(int status, String message) {
    super(message);
    this.status = status;
  }

  /** HTTP status; 0 if there was no answer. */
  public int status() {
    return status;
  }
}
