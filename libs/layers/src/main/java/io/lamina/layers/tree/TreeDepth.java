package io.lamina.layers.tree;

import io.lamina.layers.LayersException;

/** Bounds the directories that are open at once while a tree is walked. */
public final class TreeDepth {
  /** Deeper than any image, and shallow enough for a stack of calls. */
  public static final int MAX = 1000;

  private TreeDepth() {}

  /**
   * @throws LayersException.Rejected if a directory lies deeper
   */
  public static void check(int depth) {
    if (depth > MAX) {
      throw new LayersException.Rejected(
          "directories nest deeper than " + MAX + ", which no archive of a layer may hold");
    }
  }
}
