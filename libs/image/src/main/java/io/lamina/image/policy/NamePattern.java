package io.lamina.image.policy;

import io.lamina.image.ImageException;
import io.lamina.image.ImageReference;
import io.lamina.image.internal.Quoted;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.regex.Pattern;

/**
 * Repositories of registries by their names: {@code HOST[:PORT]} for all of a registry, or {@code
 * HOST[:PORT]/REPOSITORY}. {@code *} stands for any characters but {@code /}, {@code **} for any.
 * Immutable. Matching takes time in proportion to both lengths, whatever the pattern.
 *
 * <p>Source: docs/security.md, "Policies".
 *
 * @param text as it was written, in lower case
 */
public record NamePattern(String text) {
  private static final int MAX_CHARS = 300;
  private static final int MAX_PATTERNS = 1000;
  private static final String HUB = "docker.io";
  private static final Pattern FORM = Pattern.compile("[a-z0-9.:\\[\\]*_-]+(?:/[a-z0-9._*-]+)*");

  /** Every repository of every registry. */
  public static final NamePattern ALL = new NamePattern("**");

  /**
   * @throws ImageException.Rejected if it has another form
   */
  public NamePattern {
    text = text.toLowerCase(Locale.ROOT);
    for (String other : new String[] {"index." + HUB, "registry-1." + HUB}) {
      if (text.equals(other) || text.startsWith(other + "/")) {
        text = HUB + text.substring(other.length());
      }
    }
    if (text.length() > MAX_CHARS || !FORM.matcher(text).matches()) {
      throw new ImageException.Rejected(
          "a pattern is HOST[:PORT][/REPOSITORY] with '*' for a part and '**' for any, not "
              + Quoted.of(text));
    }
  }

  /**
   * Reads patterns between commas.
   *
   * @throws ImageException.Rejected naming the one that cannot be read
   */
  public static List<NamePattern> parse(String list) {
    List<NamePattern> patterns =
        Arrays.stream(list.split(","))
            .map(String::strip)
            .filter(each -> !each.isEmpty())
            .map(NamePattern::new)
            .toList();
    if (patterns.size() > MAX_PATTERNS) {
      throw new ImageException.Rejected("more than " + MAX_PATTERNS + " patterns in one list");
    }
    return patterns;
  }

  /** Whether the repository is meant; its tag and digest do not matter. */
  public boolean matches(ImageReference.Registry reference) {
    String glob = text.equals("**") || text.contains("/") ? text : text + "/**";
    return matches(glob, reference.host() + "/" + reference.repository());
  }

  /** For each prefix of the name, whether the glob so far can end there. */
  private static boolean matches(String glob, String name) {
    boolean[] ends = new boolean[name.length() + 1];
    ends[0] = true;
    for (int i = 0; i < glob.length(); i++) {
      char c = glob.charAt(i);
      boolean[] next = new boolean[ends.length];
      if (c == '*') {
        boolean isDeep = i + 1 < glob.length() && glob.charAt(i + 1) == '*';
        i += isDeep ? 1 : 0;
        boolean isOpen = false;
        for (int j = 0; j < ends.length; j++) {
          isOpen = ends[j] || isOpen && (isDeep || name.charAt(j - 1) != '/');
          next[j] = isOpen;
        }
      } else {
        for (int j = 1; j < ends.length; j++) {
          next[j] = ends[j - 1] && name.charAt(j - 1) == c;
        }
      }
      ends = next;
    }
    return ends[name.length()];
  }

  @Override
  public String toString() {
    return text;
  }
}
