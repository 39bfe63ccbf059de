package io.lamina.converter;

import java.time.Duration;

/** Durations as people read them. */
public final class Lengths {
  private Lengths() {}

  /** In the largest unit that leaves no rest, such as {@code 90 s} or {@code 6 h}. */
  public static String text(Duration length) {
    long millis = length.toMillis();
    if (millis % 1000 != 0) {
      return millis + " ms";
    }
    long seconds = millis / 1000;
    if (seconds % 60 != 0 || seconds == 0) {
      return seconds + " s";
    }
    return seconds % 3600 == 0 ? seconds / 3600 + " h" : seconds / 60 + " min";
  }
}
