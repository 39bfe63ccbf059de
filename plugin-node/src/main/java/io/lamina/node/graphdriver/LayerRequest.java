package io.lamina.node.graphdriver;

import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * What a call about one layer says. Immutable.
 *
 * @param id as it was sent, not empty
 * @param parent null for none
 * @param mountLabel of SELinux, null for none
 */
record LayerRequest(
    String id,
    @Nullable String parent,
    @Nullable String mountLabel,
    Map<String, String> storageOptions) {
  LayerRequest {
    storageOptions = Map.copyOf(storageOptions);
  }
}
