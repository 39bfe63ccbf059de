package io.lamina.cvmfs.tree;

import io.lamina.cvmfs.CvmfsException;
import io.lamina.cvmfs.RepositoryPath;
import io.lamina.cvmfs.catalog.CatalogEntry;
import java.util.Arrays;
import java.util.Optional;
import java.util.function.BiConsumer;
import org.jspecify.annotations.Nullable;

/**
 * A directory tree in memory, to be built, changed and merged. It takes about 200 bytes an entry
 * and has a bound on the number of entries.
 *
 * <p>Paths are relative to the tree's own root. Names are bytes; directories list in their unsigned
 * order. Link counts and groups of the entries given are ignored: links are made by {@link #link}
 * and counted when catalogs are written. Not thread-safe.
 */
public final class FileTree {
  /** Enough for any image that runs, about 200 MB. */
  public static final int DEFAULT_MAX_ENTRIES = 1_000_000;

  /** Deepest level of an entry below the root; walks go as deep on the stack. */
  public static final int MAX_DEPTH = 500;

  private final int maxEntries;
  private final CatalogEntry implicitDirectory;
  private final Node root;
  private int entries = 1;

  /**
   * A tree that holds its root directory.
   *
   * @param maxEntries bound on the entries, the root included
   * @param implicitDirectory entry of the root, and of directories that are only named as parents
   */
  public FileTree(int maxEntries, CatalogEntry implicitDirectory) {
    if (maxEntries < 1 || !implicitDirectory.isDirectory()) {
      throw new IllegalArgumentException("a tree holds at least its root, a directory");
    }
    this.maxEntries = maxEntries;
    this.implicitDirectory = implicitDirectory;
    this.root = new Node(new byte[0], new Inode(implicitDirectory));
  }

  /** Entries now, the root included. */
  public int entries() {
    return entries;
  }

  /**
   * Inserts the entry or replaces what is there. A directory that takes a directory's place keeps
   * its entries; anything else that is replaced goes with all below it. Parents that are missing
   * are made, and parents that are no directories replaced.
   *
   * @throws CvmfsException.Rejected if the tree is full, the path has more than {@link #MAX_DEPTH}
   *     levels, or the root would be no directory
   */
  public void put(RepositoryPath path, CatalogEntry entry) {
    put(path, new Inode(entry));
  }

  private void put(RepositoryPath path, Inode inode) {
    if (path.isRoot()) {
      if (!inode.isDirectory()) {
        throw new CvmfsException.Rejected("the root of a tree stays a directory");
      }
      root.become(inode);
      return;
    }
    put(makeDirectories(path.parent()), path.name(), inode);
  }

  /** As {@link #put(RepositoryPath, CatalogEntry)}, in a known directory. */
  Node put(Node directory, byte[] name, Inode inode) {
    Node existing = directory.child(name);
    if (existing == null) {
      requireRoom(1);
      Node added = new Node(name, inode);
      directory.putChild(added);
      entries++;
      return added;
    }
    if (existing.isDirectory() && !inode.isDirectory()) {
      entries -= existing.countEntries() - 1;
    }
    existing.become(inode);
    return existing;
  }

  private void requireRoom(int more) {
    if (entries > maxEntries - more) {
      throw new CvmfsException.Rejected(
          "a directory tree of more than "
              + maxEntries
              + " entries; the limit is a setting of the process that builds it");
    }
  }

  private Node makeDirectories(RepositoryPath path) {
    byte[] bytes = path.bytes();
    Node at = root;
    int start = 1;
    int depth = 1;
    for (int i = 1; i <= bytes.length; i++) {
      if (i == bytes.length || bytes[i] == '/') {
        depth++;
        requireDepth(depth);
        byte[] name = Arrays.copyOfRange(bytes, start, i);
        Node next = at.child(name);
        if (next == null || !next.isDirectory()) {
          next = put(at, name, new Inode(implicitDirectory));
        }
        at = next;
        start = i + 1;
      }
    }
    return at;
  }

  static void requireDepth(int depth) {
    if (depth > MAX_DEPTH) {
      throw new CvmfsException.Rejected(
          "a directory tree of more than " + MAX_DEPTH + " levels cannot be published");
    }
  }

  /**
   * Makes {@code path} another name of the file at {@code target}.
   *
   * @throws CvmfsException.NotFound if there is no file at {@code target}
   * @throws CvmfsException.Rejected if it is a directory, or the tree is full
   */
  public void link(RepositoryPath target, RepositoryPath path) {
    Node file = node(target);
    if (file == null) {
      throw new CvmfsException.NotFound("no file for a hard link: " + target);
    }
    if (file.isDirectory()) {
      throw new CvmfsException.Rejected("a directory has no hard links: " + target);
    }
    if (!target.equals(path)) {
      Inode inode = file.inode();
      inode.share();
      put(path, inode);
    }
  }

  /** The entry of a path; its link count and group say nothing. */
  public Optional<CatalogEntry> find(RepositoryPath path) {
    Node node = node(path);
    return node == null
        ? Optional.empty()
        : Optional.of(node.inode().entry(0, node.isDirectory() ? 2 : 1));
  }

  /** Removes the entry and all below it; of the root, all below it. Whether there was anything. */
  public boolean remove(RepositoryPath path) {
    if (path.isRoot()) {
      return removeChildren(path);
    }
    Node directory = node(path.parent());
    return directory != null && remove(directory, path.name());
  }

  /** As {@link #remove(RepositoryPath)}, in a known directory. */
  boolean remove(Node directory, byte[] name) {
    Node node = directory.child(name);
    if (node == null) {
      return false;
    }
    entries -= node.countEntries();
    directory.removeChild(name);
    return true;
  }

  /** Removes all below a directory; whether there was anything. */
  public boolean removeChildren(RepositoryPath path) {
    Node node = node(path);
    if (node == null || node.children().isEmpty()) {
      return false;
    }
    entries -= node.countEntries() - 1;
    node.removeChildren();
    return true;
  }

  /** Puts a branch of another tree into a directory; the other tree must not be used after. */
  void graft(Node directory, Node branch) {
    remove(directory, branch.name());
    int more = branch.countEntries();
    requireRoom(more);
    directory.putChild(branch);
    entries += more;
  }

  /** Hands over every entry, each directory before what it holds, the root first. */
  public void forEach(BiConsumer<RepositoryPath, CatalogEntry> sink) {
    forEach(root, RepositoryPath.ROOT, sink);
  }

  private static void forEach(
      Node node, RepositoryPath path, BiConsumer<RepositoryPath, CatalogEntry> sink) {
    sink.accept(path, node.inode().entry(0, node.isDirectory() ? 2 : 1));
    for (Node child : node.children()) {
      forEach(child, path.resolve(child.name()), sink);
    }
  }

  Node root() {
    return root;
  }

  private @Nullable Node node(RepositoryPath path) {
    byte[] bytes = path.bytes();
    Node at = root;
    int start = 1;
    for (int i = 1; i <= bytes.length && at != null; i++) {
      if (i == bytes.length || bytes[i] == '/') {
        at = at.child(Arrays.copyOfRange(bytes, start, i));
        start = i + 1;
      }
    }
    return at;
  }
}
