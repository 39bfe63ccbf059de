package io.lamina.cvmfs.tree;

import io.lamina.cvmfs.RepositoryPath;
import io.lamina.cvmfs.catalog.CatalogMarker;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * The names that an image cannot have in a repository, at any depth: the two markers of nested
 * catalogs. Readers take a file of that name for a marker, and one in the wrong place breaks the
 * repository. Entries with such names, and all below them, are left out; each is reported. Other
 * names that start with {@code .cvmfs} mean nothing to readers and are kept.
 *
 * <p>Source: docs/format/catalogs.md, "Reserved names".
 */
public final class ReservedNames {
  private static final List<byte[]> NAMES =
      List.of(
          CatalogMarker.NAME.getBytes(StandardCharsets.US_ASCII),
          CatalogMarker.AUTOMATIC_NAME.getBytes(StandardCharsets.US_ASCII));

  /** Told of each entry that is left out. */
  @FunctionalInterface
  public interface Listener {
    /**
     * @param path in the tree; what lies below it is left out too
     */
    void leftOut(RepositoryPath path);
  }

  private ReservedNames() {}

  public static boolean isReserved(byte[] name) {
    return NAMES.stream().anyMatch(reserved -> Arrays.equals(reserved, name));
  }

  /** Whether the path, or a directory on the way to it, has a reserved name. */
  public static boolean isReserved(RepositoryPath path) {
    for (RepositoryPath at = path; !at.isRoot(); at = at.parent()) {
      if (isReserved(at.name())) {
        return true;
      }
    }
    return false;
  }

  /** Removes all entries with reserved names from a tree. */
  static void removeFrom(FileTree tree, Listener listener) {
    removeFrom(tree, tree.root(), RepositoryPath.ROOT, listener);
  }

  private static void removeFrom(
      FileTree tree, Node directory, RepositoryPath path, Listener listener) {
    List<byte[]> found = new ArrayList<>();
    for (byte[] name : NAMES) {
      if (directory.child(name) != null) {
        found.add(name);
      }
    }
    for (byte[] name : found) {
      tree.remove(directory, name);
      listener.leftOut(path.resolve(name));
    }
    for (Node child : directory.children()) {
      if (child.isDirectory()) {
        removeFrom(tree, child, path.resolve(child.name()), listener);
      }
    }
  }
}
