package io.lamina.repository;

import org.jspecify.annotations.Nullable;

/** Root of this module's failures; the leaf says what the caller can do. */
public abstract sealed class RepositoryException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  private RepositoryException(String message, @Nullable Throwable cause) {
    super(message, cause);
  }

  /** What was asked for can never be done as it is; the message says what to change. */
  public static final class Rejected extends RepositoryException {
    private static final long serialVersionUID = 1L;

    public Rejected(String message) {
      super(message, null);
    }

    public Rejected(String message, @Nullable Throwable cause) {
      super(message, cause);
    }
  }

  /** There is no such repository, key or path. */
  public static final class NotFound extends RepositoryException {
    private static final long serialVersionUID = 1L;

    public NotFound(String message) {
      super(message, null);
    }

    public NotFound(String message, @Nullable Throwable cause) {
      super(message, cause);
    }
  }

  /** Others kept committing first; nothing of this transaction is visible, trying later is safe. */
  public static final class Conflict extends RepositoryException {
    private static final long serialVersionUID = 1L;

    public Conflict(String message, @Nullable Throwable cause) {
      super(message, cause);
    }
  }

  /** A passing failure before the commit point; nothing is visible, trying again is safe. */
  public static final class Retryable extends RepositoryException {
    private static final long serialVersionUID = 1L;

    public Retryable(String message, @Nullable Throwable cause) {
      super(message, cause);
    }
  }

  /**
   * It could not be found out whether the transaction is visible: try again, which finds out, and
   * never delete anything.
   */
  public static final class OutcomeUnknown extends RepositoryException {
    private static final long serialVersionUID = 1L;

    public OutcomeUnknown(String message, @Nullable Throwable cause) {
      super(message, cause);
    }
  }

  /** What lies in the repository is not what its signatures and hashes promise. */
  public static final class Corrupt extends RepositoryException {
    private static final long serialVersionUID = 1L;

    public Corrupt(String message, @Nullable Throwable cause) {
      super(message, cause);
    }
  }
}
