package io.lamina.cvmfs.tree;

import java.util.Arrays;
import java.util.Collection;
import java.util.List;
import java.util.SortedMap;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/** A name in a directory and what it names; a directory holds its entries in byte order. */
final class Node {
  private final byte[] name;
  private Inode inode;
  private @Nullable SortedMap<byte[], Node> children;

  Node(byte[] name, Inode inode) {
    this.name = name;
    this.inode = inode;
  }

  byte[] name() {
    return name;
  }

  Inode inode() {
    return inode;
  }

  /** Gives the name another meaning; a directory that stays one keeps its entries. */
  void become(Inode other) {
    inode = other;
    if (!other.isDirectory()) {
      children = null;
    }
  }

  boolean isDirectory() {
    return inode.isDirectory();
  }

  @Nullable Node child(byte[] childName) {
    return children == null ? null : children.get(childName);
  }

  Collection<Node> children() {
    return children == null ? List.of() : children.values();
  }

  /** Adds the entry or replaces the one of that name. */
  void putChild(Node child) {
    if (children == null) {
      children = new TreeMap<>(Arrays::compareUnsigned);
    }
    children.put(child.name, child);
  }

  void removeChild(byte[] childName) {
    if (children != null) {
      children.remove(childName);
      if (children.isEmpty()) {
        children = null;
      }
    }
  }

  void removeChildren() {
    children = null;
  }

  int subdirectories() {
    int count = 0;
    for (Node child : children()) {
      if (child.isDirectory()) {
        count++;
      }
    }
    return count;
  }

  /** This entry and all below it. */
  int countEntries() {
    int count = 1;
    for (Node child : children()) {
      count += child.countEntries();
    }
    return count;
  }
}
