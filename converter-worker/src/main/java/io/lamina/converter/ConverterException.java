package io.lamina.converter;

import org.jspecify.annotations.Nullable;

/** Root of the converter's own failures; the leaf says what the caller can do. */
public abstract sealed class ConverterException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  private ConverterException(String message, @Nullable Throwable cause) {
    super(message, cause);
  }

  /** What was asked for can never be done: an unknown repository, a limit passed. */
  public static final class Rejected extends ConverterException {
    private static final long serialVersionUID = 1L;

    public Rejected(String message) {
      super(message, null);
    }
  }

  /** It took longer than it may, or another converter has to do it: try again. */
  public static final class Retryable extends ConverterException {
    private static final long serialVersionUID = 1L;

    public Retryable(String message) {
      super(message, null);
    }
  }
}
