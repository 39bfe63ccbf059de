package io.lamina.image.registry;

import io.lamina.image.ImageException;
import io.lamina.image.internal.Quoted;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/**
 * Reads {@code WWW-Authenticate} headers. Source: RFC 9110, section 11.6.1.
 *
 * <p>A comma separates both challenges and the parameters of one; what follows it is a parameter if
 * an equals sign follows its name, and a new challenge otherwise. Beyond the grammar, an unquoted
 * value may hold anything but commas and blanks, since some servers send bare URLs, and a missing
 * comma is forgiven.
 */
final class ChallengeParser {
  private static final int MAX_CHARS = 16_384;
  private static final int MAX_CHALLENGES = 16;

  private final String text;
  private int position;

  private ChallengeParser(String text) {
    this.text = text;
  }

  /**
   * @param headers the values of all header lines
   * @throws ImageException.Rejected if one breaks the grammar
   */
  static List<Challenge> parse(List<String> headers) {
    List<Challenge> challenges = new ArrayList<>();
    for (String header : headers) {
      if (header.length() > MAX_CHARS) {
        throw new ImageException.Rejected("WWW-Authenticate is longer than " + MAX_CHARS);
      }
      new ChallengeParser(header).readAll(challenges);
    }
    return challenges;
  }

  private void readAll(List<Challenge> challenges) {
    skip(" \t,");
    while (position < text.length()) {
      if (challenges.size() == MAX_CHALLENGES) {
        throw malformed("more than " + MAX_CHALLENGES + " challenges");
      }
      challenges.add(challenge());
      skip(" \t,");
    }
  }

  private Challenge challenge() {
    String scheme = token().toLowerCase(Locale.ROOT);
    Map<String, String> parameters = new HashMap<>();
    skip(" \t");
    if (position < text.length() && text.charAt(position) != ',' && !isParameter()) {
      readToken68();
      return new Challenge(scheme, parameters);
    }
    while (isParameter()) {
      String name = token().toLowerCase(Locale.ROOT);
      skip(" \t");
      position++; // The equals sign, which isParameter has seen.
      skip(" \t");
      if (parameters.put(name, value()) != null) {
        throw malformed("the parameter " + Quoted.of(name) + " is given twice");
      }
      int end = position;
      skip(" \t,");
      if (!isParameter()) {
        position = end;
        break;
      }
    }
    return new Challenge(scheme, parameters);
  }

  /** Whether a name and an equals sign follow, and not the padding of a token68. */
  private boolean isParameter() {
    int i = position;
    while (i < text.length() && isTokenChar(text.charAt(i))) {
      i++;
    }
    if (i == position) {
      return false;
    }
    while (i < text.length() && (text.charAt(i) == ' ' || text.charAt(i) == '\t')) {
      i++;
    }
    if (i >= text.length() || text.charAt(i) != '=') {
      return false;
    }
    int next = i + 1;
    while (next < text.length() && text.charAt(next) == '=') {
      next++;
    }
    boolean isPadding = next >= text.length() || text.charAt(next) == ',';
    return !isPadding;
  }

  private void readToken68() {
    while (position < text.length()
        && (isTokenChar(text.charAt(position)) || "/=".indexOf(text.charAt(position)) >= 0)) {
      position++;
    }
    if (position < text.length() && " \t,".indexOf(text.charAt(position)) < 0) {
      throw malformed("unexpected character");
    }
  }

  private String token() {
    int start = position;
    while (position < text.length() && isTokenChar(text.charAt(position))) {
      position++;
    }
    if (start == position) {
      throw malformed("a name is missing");
    }
    return text.substring(start, position);
  }

  private String value() {
    if (position < text.length() && text.charAt(position) == '"') {
      return quoted();
    }
    int start = position;
    while (position < text.length() && " \t,\"".indexOf(text.charAt(position)) < 0) {
      position++;
    }
    return text.substring(start, position);
  }

  private String quoted() {
    StringBuilder value = new StringBuilder();
    for (position++; position < text.length(); position++) {
      char c = text.charAt(position);
      if (c == '"') {
        position++;
        return value.toString();
      }
      if (c == '\\') {
        position++;
        if (position == text.length()) {
          break;
        }
        c = text.charAt(position);
      }
      value.append(c);
    }
    throw malformed("a quoted value does not end");
  }

  private void skip(String characters) {
    while (position < text.length() && characters.indexOf(text.charAt(position)) >= 0) {
      position++;
    }
  }

  private static boolean isTokenChar(char c) {
    return (c >= 'a' && c <= 'z')
        || (c >= 'A' && c <= 'Z')
        || (c >= '0' && c <= '9')
        || "!#$%&'*+-.^_`|~".indexOf(c) >= 0;
  }

  private ImageException.Rejected malformed(String why) {
    return new ImageException.Rejected(
        "cannot read WWW-Authenticate "
            + Quoted.of(text)
            + " at position "
            + position
            + ": "
            + why);
  }
}
