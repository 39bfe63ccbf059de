package io.lamina.image.internal;

/** Shows foreign text in messages: bounded, on one line, without control characters. */
public final class Quoted {
  private static final int MAX_CHARS = 200;

  private Quoted() {}

  /** The text in single quotes; what is unprintable or beyond 200 characters is replaced. */
  public static String of(String text) {
    return "'" + plain(text, MAX_CHARS) + "'";
  }

  /**
   * A URL, in quotes and without what may be a secret in it: user and password, and the query,
   * where storage services put signatures.
   */
  public static String place(String url) {
    int end = url.length();
    for (char mark : new char[] {'?', '#'}) {
      int at = url.indexOf(mark);
      end = at >= 0 ? Math.min(end, at) : end;
    }
    String place = url.substring(0, end);
    int slashes = place.indexOf("//");
    int at = place.lastIndexOf('@');
    String shown =
        slashes >= 0 && at > slashes
            ? place.substring(0, slashes + 2) + "…" + place.substring(at)
            : place;
    return of(end < url.length() ? shown + url.charAt(end) + "…" : shown);
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
