package io.lamina.image.registry;

import java.util.Map;
import java.util.Optional;

/**
 * One way to authenticate that a server offers. Immutable.
 *
 * @param scheme in lower case, such as {@code bearer}
 * @param parameters by name in lower case
 */
record Challenge(String scheme, Map<String, String> parameters) {
  Challenge {
    parameters = Map.copyOf(parameters);
  }

  Optional<String> parameter(String name) {
    return Optional.ofNullable(parameters.get(name)).filter(value -> !value.isEmpty());
  }
}
