package io.lamina.cvmfs;

import org.jspecify.annotations.Nullable;

/** Root of this module's failures; the leaf says what the caller can do. */
public abstract sealed class CvmfsException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  private CvmfsException(String message, @Nullable Throwable cause) {
    super(message, cause);
  }

  /** The caller's input cannot be accepted: a bad name, an unsupported version, a limit passed. */
  public static final class Rejected extends CvmfsException {
    private static final long serialVersionUID = 1L;

    public Rejected(String message) {
      super(message, null);
    }

    public Rejected(String message, @Nullable Throwable cause) {
      super(message, cause);
    }
  }

  /** Stored data is not what its hash, signature or schema promises. */
  public static final class Corrupt extends CvmfsException {
    private static final long serialVersionUID = 1L;

    public Corrupt(String message) {
      super(message, null);
    }

    public Corrupt(String message, @Nullable Throwable cause) {
      super(message, cause);
    }
  }

  /** A path, object or file that was asked for does not exist. */
  public static final class NotFound extends CvmfsException {
    private static final long serialVersionUID = 1L;

    public NotFound(String message) {
      super(message, null);
    }
  }

  /**
   * Reading or writing failed for a passing reason; nothing is half done, calling again is safe.
   */
  public static final class Retryable extends CvmfsException {
    private static final long serialVersionUID = 1L;

    public Retryable(String message, @Nullable Throwable cause) {
      super(message, cause);
    }
  }
}
