package io.lamina.journal;

import org.jspecify.annotations.Nullable;

/** Root of this module's failures; the leaf says what the caller can do. */
public abstract sealed class JournalException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  private JournalException(String message, @Nullable Throwable cause) {
    super(message, cause);
  }

  /** What was asked for cannot be done as it is; nothing was changed by the refused step. */
  public static final class Rejected extends JournalException {
    private static final long serialVersionUID = 1L;

    public Rejected(String message) {
      super(message, null);
    }

    public Rejected(String message, @Nullable Throwable cause) {
      super(message, cause);
    }
  }

  /** What is named does not exist. */
  public static final class NotFound extends JournalException {
    private static final long serialVersionUID = 1L;

    public NotFound(String message) {
      super(message, null);
    }
  }

  /** A journal that is cut off, changed, or whose transactions do not follow from each other. */
  public static final class Corrupt extends JournalException {
    private static final long serialVersionUID = 1L;

    public Corrupt(String message) {
      super(message, null);
    }

    public Corrupt(String message, @Nullable Throwable cause) {
      super(message, cause);
    }
  }

  /** A passing failure; calling again goes on where it was. */
  public static final class Retryable extends JournalException {
    private static final long serialVersionUID = 1L;

    public Retryable(String message, @Nullable Throwable cause) {
      super(message, cause);
    }
  }
}
