package io.lamina.linux;

import java.nio.charset.StandardCharsets;
import java.nio.file.Path;

/** Names and paths as the kernel has them: bytes without NUL, of no particular encoding. */
public final class RawName {
  private static final int MAX_SHOWN_CHARS = 300;

  private RawName() {}

  public static byte[] of(Path path) {
    return of(path.toString());
  }

  public static byte[] of(String text) {
    return text.getBytes(StandardCharsets.UTF_8);
  }

  /** For messages: UTF-8 with replacement, control characters replaced, shortened. */
  public static String display(byte[] raw) {
    String text = new String(raw, StandardCharsets.UTF_8).replaceAll("\\p{Cntrl}", "?");
    return text.length() <= MAX_SHOWN_CHARS ? text : text.substring(0, MAX_SHOWN_CHARS) + "…";
  }
}
