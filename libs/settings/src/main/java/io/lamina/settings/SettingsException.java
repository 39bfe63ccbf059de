package io.lamina.settings;

/** Settings cannot be used; the message names origin, key, value, and what is accepted. */
public final class SettingsException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  public SettingsException(String message) {
    super(message);
  }
}
