package io.lamina.layers.tree;

import io.lamina.layers.LayerUsage;
import io.lamina.linux.FileStatus;
import java.util.HashSet;
import java.util.Optional;
import java.util.Set;

/** Bytes of all that is not a directory, and inodes; files with several names once. */
public final class TreeSize {
  private final Set<FileKey> linked = new HashSet<>();
  private long sizeBytes;
  private long inodes = 1;

  private TreeSize() {}

  /**
   * @param root closed by the caller
   */
  public static LayerUsage of(MergedDirectory root) {
    TreeSize size = new TreeSize();
    size.add(root, 0);
    return new LayerUsage(size.sizeBytes, size.inodes);
  }

  private void add(MergedDirectory directory, int depth) {
    TreeDepth.check(depth);
    for (byte[] name : directory.names()) {
      Optional<MergedEntry> found = directory.find(name);
      if (found.isEmpty()) {
        continue;
      }
      if (found.get().whiteout()) {
        inodes++;
        continue;
      }
      MergedEntry entry = found.get();
      FileStatus status = entry.status();
      if (entry.isDirectory()) {
        try (MergedDirectory below = directory.open(entry)) {
          add(below, depth + 1);
        }
        inodes++;
      } else if (status.links() == 1 || linked.add(FileKey.of(status))) {
        sizeBytes += status.sizeBytes();
        inodes++;
      }
    }
  }
}
