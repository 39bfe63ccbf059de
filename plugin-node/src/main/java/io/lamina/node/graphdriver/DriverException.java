package io.lamina.node.graphdriver;

import org.jspecify.annotations.Nullable;

/** Root of the protocol's failures; the message is what the engine shows to its user. */
public abstract sealed class DriverException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  private DriverException(String message, @Nullable Throwable cause) {
    super(message, cause);
  }

  /** The request is not one of the protocol. */
  public static final class Malformed extends DriverException {
    private static final long serialVersionUID = 1L;

    public Malformed(String message) {
      super(message, null);
    }
  }

  /** The request is of the protocol and is not granted. */
  public static final class Refused extends DriverException {
    private static final long serialVersionUID = 1L;

    public Refused(String message) {
      super(message, null);
    }

    public Refused(String message, Throwable cause) {
      super(message, cause);
    }
  }

  /** It took too long, or too much is under way; the same call may succeed later. */
  public static final class Retryable extends DriverException {
    private static final long serialVersionUID = 1L;

    public Retryable(String message) {
      super(message, null);
    }
  }

  /** The process cannot serve: settings, files or the socket must be corrected first. */
  public static final class Fatal extends DriverException {
    private static final long serialVersionUID = 1L;

    public Fatal(String message) {
      super(message, null);
    }

    public Fatal(String message, Throwable cause) {
      super(message, cause);
    }
  }
}
