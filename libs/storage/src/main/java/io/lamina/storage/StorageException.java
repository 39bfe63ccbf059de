package io.lamina.storage;

import org.jspecify.annotations.Nullable;

/** Root of this module's failures; the leaf says what the caller can do. */
public abstract sealed class StorageException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  private StorageException(String message, @Nullable Throwable cause) {
    super(message, cause);
  }

  /** Nothing was changed; calling again is safe. */
  public static final class Retryable extends StorageException {
    private static final long serialVersionUID = 1L;

    public Retryable(String message, @Nullable Throwable cause) {
      super(message, cause);
    }
  }

  /** Somebody else's write came first: read again, rebuild, retry. */
  public static final class Conflict extends StorageException {
    private static final long serialVersionUID = 1L;

    public Conflict(String message) {
      super(message, null);
    }
  }

  /** The reply was lost: read again and decide, never retry blindly. */
  public static final class OutcomeUnknown extends StorageException {
    private static final long serialVersionUID = 1L;

    public OutcomeUnknown(String message, @Nullable Throwable cause) {
      super(message, cause);
    }
  }

  /** No file has this key. */
  public static final class NotFound extends StorageException {
    private static final long serialVersionUID = 1L;

    public NotFound(String message) {
      super(message, null);
    }
  }

  /** A bad key, or settings or credentials that the store refuses. */
  public static final class Rejected extends StorageException {
    private static final long serialVersionUID = 1L;

    public Rejected(String message) {
      super(message, null);
    }

    public Rejected(String message, @Nullable Throwable cause) {
      super(message, cause);
    }
  }

  /** What was read or written differs in length or checksum from what was promised. */
  public static final class Corrupt extends StorageException {
    private static final long serialVersionUID = 1L;

    public Corrupt(String message) {
      super(message, null);
    }
  }

  /** No room left, or a file over the caller's bound. */
  public static final class Exhausted extends StorageException {
    private static final long serialVersionUID = 1L;

    public Exhausted(String message, @Nullable Throwable cause) {
      super(message, cause);
    }
  }
}
