package io.lamina.node.snapshot;

import java.util.List;

/**
 * What containerd or a runtime is to mount. Immutable.
 *
 * @param type of the file system, {@code bind} for a folder that is there
 * @param source absolute path
 */
public record SnapshotMount(String type, String source, List<String> options) {
  public SnapshotMount {
    options = List.copyOf(options);
  }
}
