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

  /** It took longer than it may; trying again is sensible. */
  public static final class TooSlow extends ConverterException {
    private static final long serialVersionUID = 1L;

    public TooSlow(String message) {
      super(message, null);
    }
  }
}
