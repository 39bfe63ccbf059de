package io.lamina.messaging;

import org.jspecify.annotations.Nullable;

/** Root of this module's failures; the leaf says what the caller can do. */
public abstract sealed class MessagingException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  private MessagingException(String message, @Nullable Throwable cause) {
    super(message, cause);
  }

  /** Nothing was written; calling again is safe. */
  public static final class Retryable extends MessagingException {
    private static final long serialVersionUID = 1L;

    public Retryable(String message, @Nullable Throwable cause) {
      super(message, cause);
    }
  }

  /** The reply was lost: the records may or may not be there. */
  public static final class OutcomeUnknown extends MessagingException {
    private static final long serialVersionUID = 1L;

    public OutcomeUnknown(String message, @Nullable Throwable cause) {
      super(message, cause);
    }
  }

  /** Settings, topics or an event that the broker or this module cannot accept. */
  public static final class Rejected extends MessagingException {
    private static final long serialVersionUID = 1L;

    public Rejected(String message) {
      super(message, null);
    }

    public Rejected(String message, @Nullable Throwable cause) {
      super(message, cause);
    }
  }

  /** A record that is no event of ours, or one of a version that this process does not know. */
  public static final class Corrupt extends MessagingException {
    private static final long serialVersionUID = 1L;

    public Corrupt(String message) {
      super(message, null);
    }

    public Corrupt(String message, @Nullable Throwable cause) {
      super(message, cause);
    }
  }

  /**
   * The partition belongs to somebody else now: drop the work at hand, whoever owns it does it
   * again.
   */
  public static final class PartitionLost extends MessagingException {
    private static final long serialVersionUID = 1L;

    public PartitionLost(String message, @Nullable Throwable cause) {
      super(message, cause);
    }
  }

  /** Only a person or a restart helps: wrong credentials, missing rights, a broken broker. */
  public static final class Fatal extends MessagingException {
    private static final long serialVersionUID = 1L;

    public Fatal(String message, @Nullable Throwable cause) {
      super(message, cause);
    }
  }
}
