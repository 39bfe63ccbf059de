package io.lamina.cvmfs.tree;

import io.lamina.cvmfs.CvmfsException;
import io.lamina.cvmfs.RepositoryPath;
import io.lamina.cvmfs.catalog.Xattrs;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SortedMap;

/**
 * Lays one tree over another as overlayfs does: a character device 0:0 hides what has its name
 * below, a directory with {@code trusted.overlay.opaque=y} hides all below it, a directory joins a
 * directory and shows the upper one's attributes, and anything else replaces. A directory over a
 * symbolic link replaces the link.
 *
 * <p>The result holds neither whiteouts nor opaque markers. An image's tree is an empty one over
 * which its layers are laid, lowest first.
 */
public final class LayerMerge {
  /** The attribute of a directory that hides all that lies below it. */
  public static final String OPAQUE_ATTRIBUTE = "trusted.overlay.opaque";

  private static final byte[] OPAQUE_VALUE = "y".getBytes(StandardCharsets.US_ASCII);

  private final FileTree lower;

  private LayerMerge(FileTree lower) {
    this.lower = lower;
  }

  /**
   * Changes {@code lower} into the merge of both; {@code upper} is used up.
   *
   * @throws CvmfsException.Rejected if the result is over the bound of {@code lower}, which is
   *     unusable then
   */
  public static void overlay(FileTree lower, FileTree upper) {
    Node upperRoot = upper.root();
    if (isOpaque(upperRoot.inode())) {
      lower.remove(RepositoryPath.ROOT);
    }
    lower.root().become(withoutOpaque(upperRoot.inode()));
    new LayerMerge(lower).merge(lower.root(), upperRoot);
  }

  private void merge(Node lowerDirectory, Node upperDirectory) {
    for (Node upper : upperDirectory.children()) {
      if (upper.inode().isWhiteout()) {
        lower.remove(lowerDirectory, upper.name());
        continue;
      }
      Node existing = lowerDirectory.child(upper.name());
      boolean joins =
          existing != null
              && existing.isDirectory()
              && upper.isDirectory()
              && !isOpaque(upper.inode());
      if (existing != null && joins) {
        existing.become(upper.inode());
        merge(existing, upper);
      } else {
        removeMarks(upper);
        lower.graft(lowerDirectory, upper);
      }
    }
  }

  /** Takes whiteouts and opaque markers out of a branch that has nothing below it. */
  private static void removeMarks(Node branch) {
    branch.become(withoutOpaque(branch.inode()));
    List<byte[]> whiteouts = new ArrayList<>();
    for (Node child : branch.children()) {
      if (child.inode().isWhiteout()) {
        whiteouts.add(child.name());
      } else if (child.isDirectory()) {
        removeMarks(child);
      }
    }
    whiteouts.forEach(branch::removeChild);
  }

  private static boolean isOpaque(Inode inode) {
    if (!inode.isDirectory() || inode.xattrs().isEmpty()) {
      return false;
    }
    byte[] value = inode.xattrs().asMap().get(OPAQUE_ATTRIBUTE);
    return value != null && Arrays.equals(value, OPAQUE_VALUE);
  }

  private static Inode withoutOpaque(Inode inode) {
    if (!isOpaque(inode)) {
      return inode;
    }
    SortedMap<String, byte[]> rest = inode.xattrs().asMap();
    rest.remove(OPAQUE_ATTRIBUTE);
    return inode.withXattrs(Xattrs.of(rest));
  }
}
