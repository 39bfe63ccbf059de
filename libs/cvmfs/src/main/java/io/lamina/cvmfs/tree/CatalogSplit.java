package io.lamina.cvmfs.tree;

import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Set;

/**
 * Decides which directories of a tree become catalogs of their own. From the leaves up, a directory
 * that has too many entries below it gives its heaviest sub-directories away until it has few
 * enough; of equal ones the first by name. Depends on the tree and the bounds alone.
 *
 * <p>Source: docs/format/catalogs.md, "Splitting by size".
 */
final class CatalogSplit {
  private final int maxEntries;
  private final int minEntries;
  private final Set<Node> mountpoints = Collections.newSetFromMap(new IdentityHashMap<>());

  private CatalogSplit(int maxEntries, int minEntries) {
    this.maxEntries = maxEntries;
    this.minEntries = minEntries;
  }

  /** The directories below the tree's root at which nested catalogs hang. */
  static Set<Node> mountpoints(FileTree tree, int maxEntries, int minEntries) {
    CatalogSplit split = new CatalogSplit(maxEntries, minEntries);
    if (tree.entries() > maxEntries) {
      split.weigh(tree.root(), true);
    }
    return split.mountpoints;
  }

  /**
   * Entries from the directory down that lie in its catalog.
   *
   * @param isText whether the directory's path is UTF-8
   */
  private int weigh(Node directory, boolean isText) {
    int weight = 1;
    List<Weighed> candidates = new ArrayList<>();
    for (Node child : directory.children()) {
      if (!child.isDirectory()) {
        weight++;
        continue;
      }
      boolean childIsText = isText && isText(child.name());
      int childWeight = weigh(child, childIsText);
      weight += childWeight;
      if (childWeight >= minEntries && childIsText) {
        candidates.add(new Weighed(child, childWeight));
      }
    }
    if (weight > maxEntries) {
      // The sort is stable, and children come in the order of their names.
      candidates.sort(Comparator.comparingInt(Weighed::weight).reversed());
      for (Weighed candidate : candidates) {
        if (weight <= maxEntries) {
          break;
        }
        mountpoints.add(candidate.node);
        weight -= candidate.weight - 1;
      }
    }
    return weight;
  }

  /** Catalogs name their mountpoints as text, so no catalog hangs below other bytes. */
  private static boolean isText(byte[] name) {
    try {
      StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(name));
      return true;
    } catch (CharacterCodingException e) {
      return false;
    }
  }

  private record Weighed(Node node, int weight) {}
}
