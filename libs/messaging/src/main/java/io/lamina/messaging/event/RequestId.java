package io.lamina.messaging.event;

import java.util.regex.Pattern;

/**
 * Names one accepted request. Immutable.
 *
 * @param value 1 to 64 of {@code [A-Za-z0-9_-]}
 */
public record RequestId(String value) implements Comparable<RequestId> {
  private static final Pattern VALID = Pattern.compile("[A-Za-z0-9_-]{1,64}");

  public RequestId {
    if (!VALID.matcher(value).matches()) {
      throw new IllegalArgumentException("not a request id: '" + value + "'");
    }
  }

  @Override
  public int compareTo(RequestId other) {
    return value.compareTo(other.value);
  }

  @Override
  public String toString() {
    return value;
  }
}
