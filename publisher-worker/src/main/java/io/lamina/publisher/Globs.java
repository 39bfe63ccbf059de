package io.lamina.publisher;

import java.util.function.Predicate;

/** Patterns of names in which {@code *} stands for anything, slashes too. Stateless. */
final class Globs {
  private Globs() {}

  static Predicate<String> matching(String glob) {
    return name -> matches(glob, name);
  }

  /** Goes back to the latest star only, which is enough, so nobody can make it slow. */
  private static boolean matches(String glob, String name) {
    int g = 0;
    int n = 0;
    int star = -1;
    int covered = 0;
    while (n < name.length()) {
      if (g < glob.length() && glob.charAt(g) == '*') {
        star = g++;
        covered = n;
      } else if (g < glob.length() && glob.charAt(g) == name.charAt(n)) {
        g++;
        n++;
      } else if (star >= 0) {
        g = star + 1;
        n = ++covered;
      } else {
        return false;
      }
    }
    while (g < glob.length() && glob.charAt(g) == '*') {
      g++;
    }
    return g == glob.length();
  }
}
