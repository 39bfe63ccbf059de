package io.lamina.client.mount;

import io.lamina.client.tree.Entry;
import io.lamina.client.tree.FileContent;
import io.lamina.client.tree.ObjectSource;
import io.lamina.client.tree.Revision;
import io.lamina.cvmfs.RepositoryPath;
import io.lamina.cvmfs.catalog.CatalogEntry;
import io.lamina.cvmfs.catalog.NestedCatalog;
import java.util.HashSet;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Something that the kernel knows by a number. A directory is its path and follows the revisions;
 * anything else is its content and never changes, so that what is open stays what it was and what
 * the kernel keeps of it stays right. {@link NodeTable} guards the mutable parts, but for the
 * state.
 */
final class Node {
  /** Names beyond these are not told to be asked for again; only a link group has several. */
  private static final int MAX_NAMES = 1000;

  final long id;
  final Object key;
  final @Nullable Node parent;
  long references;
  private volatile State state;
  private Set<Name> names = Set.of();
  private volatile @Nullable FileContent content;

  /** A name under which the kernel knows a node. */
  record Name(long directory, RepositoryPath path) {}

  /**
   * What a node is now.
   *
   * @param revision to which the entry belongs
   * @param holder the catalog that has the entry's row; while it is the same, so is the entry
   * @param checked the newest revision in which it was looked for; without success it is still what
   *     it was before
   */
  record State(Entry entry, Optional<NestedCatalog> holder, Revision revision, Revision checked) {}

  /** A directory, by its path. */
  private record DirectoryKey(RepositoryPath path) {}

  /** Anything else, by all that a catalog says of it. */
  private record ContentKey(long inode, CatalogEntry entry) {}

  Node(long id, Object key, @Nullable Node parent, Entry entry, Revision revision) {
    this.id = id;
    this.key = key;
    this.parent = parent;
    this.state =
        new State(
            entry,
            parent == null ? Optional.empty() : parent.state.entry().listing(),
            revision,
            revision);
  }

  static Object keyOf(Entry entry) {
    return entry.entry().isDirectory()
        ? new DirectoryKey(entry.path())
        : new ContentKey(entry.inode(), entry.entry());
  }

  State state() {
    return state;
  }

  void become(State next) {
    state = next;
  }

  /** What is in it, which is one object for all who read, so that it sees who reads in order. */
  FileContent content(ObjectSource objects) {
    FileContent known = content;
    if (known == null) {
      known = new FileContent(objects, state.entry());
      content = known;
    }
    return known;
  }

  boolean isDirectory() {
    return state.entry().entry().isDirectory();
  }

  void addName(long directory, RepositoryPath path) {
    Name name = new Name(directory, path);
    if (names.isEmpty()) {
      names = Set.of(name);
    } else if (!names.contains(name) && names.size() < MAX_NAMES) {
      names = new HashSet<>(names);
      names.add(name);
    }
  }

  Set<Name> names() {
    return Set.copyOf(names);
  }
}
