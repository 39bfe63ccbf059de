package io.lamina.image;

import java.time.Duration;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** Root of this module's failures; the leaf says what the caller can do. */
public abstract sealed class ImageException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  private ImageException(String message, @Nullable Throwable cause) {
    super(message, cause);
  }

  /** The image or reference can never be accepted as it is: malformed, hostile, over a limit. */
  public static final class Rejected extends ImageException {
    private static final long serialVersionUID = 1L;

    public Rejected(String message) {
      super(message, null);
    }

    public Rejected(String message, @Nullable Throwable cause) {
      super(message, cause);
    }
  }

  /**
   * The registry, repository, tag, blob or file does not exist, or these credentials may not see
   * it.
   */
  public static final class NotFound extends ImageException {
    private static final long serialVersionUID = 1L;

    public NotFound(String message) {
      super(message, null);
    }
  }

  /** Bytes do not match the digest, size or diff id that was promised for them. */
  public static final class Corrupt extends ImageException {
    private static final long serialVersionUID = 1L;

    public Corrupt(String message) {
      super(message, null);
    }
  }

  /** A passing failure; trying again, not before {@link #retryAfter}, is sensible. */
  public static final class Retryable extends ImageException {
    private static final long serialVersionUID = 1L;

    private final @Nullable Duration retryAfter;

    public Retryable(String message, @Nullable Throwable cause, @Nullable Duration retryAfter) {
      super(message, cause);
      this.retryAfter = retryAfter;
    }

    /** What the server asked for, if it did. */
    public Optional<Duration> retryAfter() {
      return Optional.ofNullable(retryAfter);
    }
  }
}
