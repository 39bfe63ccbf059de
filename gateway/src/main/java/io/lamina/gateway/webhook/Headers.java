package io.lamina.gateway.webhook;

import org.jspecify.annotations.Nullable;

/** The headers that came with a delivery. */
@FunctionalInterface
public interface Headers {
  /** The first value of a header, whatever the case of its name. */
  @Nullable String first(String name);
}
