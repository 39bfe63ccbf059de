package io.lamina.gateway.problem;

import java.time.Duration;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** Root of this module's failures; the leaf says what the caller can do. */
public abstract sealed class GatewayException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  private GatewayException(String message, @Nullable Throwable cause) {
    super(message, cause);
  }

  /** The caller gets this answer; the message is its detail and safe to show. */
  public static final class Refused extends GatewayException {
    private static final long serialVersionUID = 1L;

    private final ProblemType type;
    private final @Nullable Duration retryAfter;

    public Refused(ProblemType type, String detail) {
      this(type, detail, null);
    }

    public Refused(ProblemType type, String detail, @Nullable Duration retryAfter) {
      super(detail, null);
      this.type = type;
      this.retryAfter = retryAfter;
    }

    public ProblemType type() {
      return type;
    }

    /** When trying again makes sense, if it does. */
    public Optional<Duration> retryAfter() {
      return Optional.ofNullable(retryAfter);
    }
  }

  /** The log or a store cannot be reached now; calling again is safe. */
  public static final class Retryable extends GatewayException {
    private static final long serialVersionUID = 1L;

    public Retryable(String message, @Nullable Throwable cause) {
      super(message, cause);
    }
  }

  /** The process cannot run: settings, files or the port must be corrected first. */
  public static final class Fatal extends GatewayException {
    private static final long serialVersionUID = 1L;

    public Fatal(String message) {
      super(message, null);
    }

    public Fatal(String message, @Nullable Throwable cause) {
      super(message, cause);
    }
  }
}
