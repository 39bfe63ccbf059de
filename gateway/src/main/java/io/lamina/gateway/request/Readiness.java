package io.lamina.gateway.request;

import java.util.List;

/** Says whether the gateway can take work. Thread-safe, does not block. */
public interface Readiness {
  /**
   * One thing that must be so.
   *
   * @param detail what is wrong, or how far it is
   */
  record Check(String name, boolean isUp, String detail) {}

  List<Check> checks();

  default boolean isReady() {
    return checks().stream().allMatch(Check::isUp);
  }
}
