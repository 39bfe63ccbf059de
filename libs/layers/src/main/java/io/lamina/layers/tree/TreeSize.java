package io.lamina.layers.tree;

import io.lamina.linux.FileStatus;
import java.util.HashSet;
import java.util.Optional;
import java.util.Set;

/** Bytes of all that is not a directory, files with several names once, whiteouts as nothing. */
public final class TreeSize {
  private final Set<FileKey> linked = new HashSet<>();
  private long sizeBytes;

  private TreeSize() {}

  /**
   * @param root closed by the caller
   */
  public static long of(MergedDirectory root) {
    TreeSize size = new TreeSize();
    size.add(root, 0);
    return size.sizeBytes;
  }

  private void add(MergedDirectory directory, int depth) {
    TreeDepth.check(depth);
    for (byte[] name : directory.names()) {
      Optional<MergedEntry> found = directory.find(name);
      if (found.isEmpty() || found.get().whiteout()) {
        continue;
      }
      MergedEntry entry = found.get();
      FileStatus status = entry.status();
      if (entry.isDirectory()) {
        try (MergedDirectory below = directory.open(entry)) {
          add(below, depth + 1);
        }
      } else if (status.links() == 1 || linked.add(FileKey.of(status))) {
        sizeBytes += status.sizeBytes();
      }
    }
  }
}
