package io.lamina.image.manifest;

import io.lamina.image.Descriptor;
import io.lamina.image.Platform;
import java.util.Map;
import java.util.Optional;

/**
 * One line of an index. Immutable.
 *
 * @param platform as the index states it, with the usual names of architectures
 * @param isRunnable false for attestations and for platforms that no machine has
 */
public record IndexEntry(
    Descriptor descriptor,
    Optional<Platform> platform,
    boolean isRunnable,
    Map<String, String> annotations) {
  public IndexEntry {
    annotations = Map.copyOf(annotations);
  }
}
