package io.lamina.gateway.access;

import java.util.Locale;
import java.util.Optional;

/** What a caller may do; each role may do what those before it may. */
public enum Role {
  /** Reads requests, events, repositories and metrics. */
  READER,
  /** Asks for conversions, uploads layers, cancels. */
  SUBMITTER,
  /** Creates repositories, takes images away. */
  OPERATOR;

  /** Reads the lower-case name. */
  public static Optional<Role> named(String name) {
    for (Role role : values()) {
      if (role.text().equals(name)) {
        return Optional.of(role);
      }
    }
    return Optional.empty();
  }

  public boolean includes(Role needed) {
    return compareTo(needed) >= 0;
  }

  public String text() {
    return name().toLowerCase(Locale.ROOT);
  }
}
