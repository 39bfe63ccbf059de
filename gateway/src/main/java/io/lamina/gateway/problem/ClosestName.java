package io.lamina.gateway.problem;

import java.util.Collection;
import java.util.Comparator;
import java.util.Locale;
import java.util.Optional;

/** Finds what a misspelt name was probably meant to be. Stateless. */
public final class ClosestName {
  private static final int MAX_CHARS = 64;

  private ClosestName() {}

  /** The known name within a third of its length in edits (at least two), if any. */
  public static Optional<String> of(String name, Collection<String> known) {
    if (name.length() > MAX_CHARS) {
      return Optional.empty();
    }
    String lower = name.toLowerCase(Locale.ROOT);
    return known.stream()
        .filter(k -> edits(lower, k.toLowerCase(Locale.ROOT)) <= Math.max(2, k.length() / 3))
        .min(Comparator.comparingInt(k -> edits(lower, k.toLowerCase(Locale.ROOT))));
  }

  /** {@code ; did you mean 'x'?} or the list of all known names. */
  public static String hint(String name, Collection<String> known) {
    return of(name, known)
        .map(k -> "; did you mean '" + k + "'?")
        .orElseGet(() -> "; known are " + String.join(", ", known));
  }

  private static int edits(String a, String b) {
    int[] row = new int[b.length() + 1];
    for (int j = 0; j <= b.length(); j++) {
      row[j] = j;
    }
    for (int i = 1; i <= a.length(); i++) {
      int diagonal = row[0];
      row[0] = i;
      for (int j = 1; j <= b.length(); j++) {
        int substitute = diagonal + (a.charAt(i - 1) == b.charAt(j - 1) ? 0 : 1);
        diagonal = row[j];
        row[j] = Math.min(substitute, Math.min(row[j], row[j - 1]) + 1);
      }
    }
    return row[b.length()];
  }
}
