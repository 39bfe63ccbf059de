package io.lamina.image.internal;

/** Shows foreign text in messages: bounded, on one line, without control characters. */
public final class Quoted {
  private static final int MAX_CHARS = 200;

  private Quoted() {}

  /** The text in single quotes; what is unprintable or beyond 200 characters is replaced. */
  public static String of(String text) {
    return "'" + plain(text, MAX_CHARS) + "'";
  }

  /** The text without quotes, cut after {@code maxChars} characters. */
  public static String plain(String text, int maxChars) {
    StringBuilder shown = new StringBuilder(Math.min(text.length(), maxChars) + 1);
    for (int i = 0; i < text.length() && i < maxChars; i++) {
      char c = text.charAt(i);
      boolean hidden =
          Character.isISOControl(c)
              || Character.getType(c) == Character.FORMAT
              || Character.getType(c) == Character.LINE_SEPARATOR
              || Character.getType(c) == Character.PARAGRAPH_SEPARATOR;
      shown.append(hidden ? '?' : c);
    }
    return text.length() > maxChars ? shown.append('…').toString() : shown.toString();
  }
}
