package io.lamina.node.snapshot;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.function.Predicate;
import java.util.regex.Pattern;
import java.util.regex.PatternSyntaxException;
import org.jspecify.annotations.Nullable;

/**
 * Filters of lists, in containerd's language: selectors joined by commas all have to hold, and one
 * of several filters is enough. A selector is a field ({@code name}, {@code parent}, {@code kind},
 * {@code labels.NAME}, quoted where needed), alone for "is there" or with {@code ==}, {@code !=} or
 * {@code ~=} and a value. Stateless.
 *
 * <p>Source: docs/snapshotter.md, "Calls".
 */
final class SnapshotFilter {
  private static final int MAX_FILTERS = 1000;
  private static final int MAX_CHARS = 16 << 10;
  private static final int MAX_STEPS = 1_000_000;

  private enum Operator {
    PRESENT,
    EQUAL,
    NOT_EQUAL,
    MATCHES
  }

  private final String text;
  private int at;

  private SnapshotFilter(String text) {
    this.text = text;
  }

  /**
   * @throws SnapshotException.Invalid if one is not of the language
   */
  static Predicate<SnapshotInfo> parse(List<String> filters) {
    if (filters.size() > MAX_FILTERS) {
      throw new SnapshotException.Invalid(filters.size() + " filters; the limit is " + MAX_FILTERS);
    }
    List<Predicate<SnapshotInfo>> any = new ArrayList<>();
    for (String filter : filters) {
      if (filter.length() > MAX_CHARS) {
        throw new SnapshotException.Invalid(
            "a filter of " + filter.length() + " characters; the limit is " + MAX_CHARS);
      }
      any.add(new SnapshotFilter(filter).selectors());
    }
    return info -> any.isEmpty() || any.stream().anyMatch(filter -> filter.test(info));
  }

  private Predicate<SnapshotInfo> selectors() {
    if (text.isEmpty()) {
      return _ -> true;
    }
    List<Predicate<SnapshotInfo>> all = new ArrayList<>();
    all.add(selector());
    while (peek() == ',') {
      at++;
      all.add(selector());
    }
    if (peek() >= 0) {
      throw wrong("the end or ','");
    }
    return info -> all.stream().allMatch(selector -> selector.test(info));
  }

  private Predicate<SnapshotInfo> selector() {
    List<String> path = new ArrayList<>();
    path.add(field());
    while (peek() == '.') {
      at++;
      path.add(field());
    }
    Operator operator = operator();
    if (operator == Operator.PRESENT) {
      return info -> value(info, path) != null;
    }
    String wanted = value(operator);
    return switch (operator) {
      case EQUAL -> info -> wanted.equals(value(info, path));
      case NOT_EQUAL -> info -> !wanted.equals(orEmpty(value(info, path)));
      case MATCHES -> {
        Pattern pattern = pattern(wanted);
        yield info ->
            pattern.matcher(new BoundedText(orEmpty(value(info, path)), new int[1])).find();
      }
      case PRESENT -> throw new IllegalStateException("done above");
    };
  }

  private static String orEmpty(@Nullable String value) {
    return value == null ? "" : value;
  }

  private Pattern pattern(String expression) {
    try {
      return Pattern.compile(expression);
    } catch (PatternSyntaxException e) {
      throw new SnapshotException.Invalid(
          "not an expression in a filter: " + SnapshotLabels.printable(expression));
    }
  }

  private static @Nullable String value(SnapshotInfo info, List<String> path) {
    return switch (path.getFirst()) {
      case "name" -> info.name();
      case "parent" -> info.parent();
      case "kind" -> info.kind().name().toLowerCase(Locale.ROOT);
      case "labels" -> info.labels().get(String.join(".", path.subList(1, path.size())));
      default -> null;
    };
  }

  private int peek() {
    while (at < text.length() && Character.isWhitespace(text.charAt(at))) {
      at++;
    }
    return at < text.length() ? text.charAt(at) : -1;
  }

  private String field() {
    if (peek() == '"') {
      return quoted('"');
    }
    int start = at;
    while (at < text.length() && isFieldChar(text.charAt(at))) {
      at++;
    }
    if (at == start) {
      throw wrong("a field");
    }
    return text.substring(start, at);
  }

  private static boolean isFieldChar(char c) {
    return c == '_' || c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z';
  }

  private Operator operator() {
    int next = peek();
    if (next < 0 || next == ',') {
      return Operator.PRESENT;
    }
    String two = text.substring(at, Math.min(at + 2, text.length()));
    Operator operator =
        switch (two) {
          case "==" -> Operator.EQUAL;
          case "!=" -> Operator.NOT_EQUAL;
          case "~=" -> Operator.MATCHES;
          default -> throw wrong("'==', '!=' or '~='");
        };
    at += 2;
    return operator;
  }

  private String value(Operator operator) {
    int next = peek();
    if (next == '"' || operator == Operator.MATCHES && (next == '/' || next == '|')) {
      return quoted((char) next);
    }
    int start = at;
    while (at < text.length()
        && text.charAt(at) != ','
        && !Character.isWhitespace(text.charAt(at))) {
      at++;
    }
    if (at == start) {
      throw wrong("a value");
    }
    return text.substring(start, at);
  }

  /** As strings of Go are quoted. */
  private String quoted(char quote) {
    StringBuilder value = new StringBuilder();
    at++;
    while (at < text.length() && text.charAt(at) != quote) {
      char c = text.charAt(at++);
      if (c == '\n') {
        break;
      }
      if (c == '\\') {
        escaped(quote, value);
      } else {
        value.append(c);
      }
    }
    if (at >= text.length() || text.charAt(at) != quote) {
      throw wrong("the end of a quoted text");
    }
    at++;
    return value.toString();
  }

  private void escaped(char quote, StringBuilder value) {
    char c = at < text.length() ? text.charAt(at++) : 0;
    switch (c) {
      case 'a' -> value.append('\u0007');
      case 'b' -> value.append('\b');
      case 'f' -> value.append('\f');
      case 'n' -> value.append('\n');
      case 'r' -> value.append('\r');
      case 't' -> value.append('\t');
      case 'v' -> value.append('\u000b');
      case '\\' -> value.append('\\');
      case 'x' -> value.appendCodePoint(digits(16, 2));
      case 'u' -> value.appendCodePoint(digits(16, 4));
      case 'U' -> value.appendCodePoint(digits(16, 8));
      case '0', '1', '2', '3', '4', '5', '6', '7' -> {
        at--;
        value.appendCodePoint(digits(8, 3));
      }
      default -> {
        if (c != quote) {
          throw wrong("an escape of a quoted text");
        }
        value.append(c);
      }
    }
  }

  private int digits(int base, int count) {
    if (at + count > text.length()) {
      throw wrong(count + " digits");
    }
    try {
      int code = Integer.parseInt(text, at, at + count, base);
      if (!Character.isValidCodePoint(code)) {
        throw wrong("the number of a character");
      }
      at += count;
      return code;
    } catch (NumberFormatException e) {
      throw wrong(count + " digits of base " + base);
    }
  }

  private SnapshotException.Invalid wrong(String expected) {
    return new SnapshotException.Invalid(
        "not a filter: '"
            + SnapshotLabels.printable(text)
            + "'; expected "
            + expected
            + " at character "
            + (at + 1));
  }

  /** Ends expressions that try without end. */
  private record BoundedText(String text, int[] steps) implements CharSequence {
    @Override
    public int length() {
      return text.length();
    }

    @Override
    public char charAt(int index) {
      if (++steps[0] > MAX_STEPS) {
        throw new SnapshotException.Invalid("an expression in a filter takes too many steps");
      }
      return text.charAt(index);
    }

    @Override
    public CharSequence subSequence(int start, int end) {
      return text.substring(start, end);
    }

    @Override
    public String toString() {
      return text;
    }
  }
}
