package io.lamina.repository;

import io.lamina.cvmfs.ContentHash;
import io.lamina.cvmfs.CvmfsException;
import io.lamina.cvmfs.HashAlgorithm;
import io.lamina.cvmfs.RepositoryPath;
import io.lamina.cvmfs.catalog.CatalogChange;
import io.lamina.cvmfs.catalog.CatalogEntry;
import io.lamina.cvmfs.catalog.Counters;
import io.lamina.cvmfs.catalog.EditableCatalog;
import io.lamina.cvmfs.catalog.NestedCatalog;
import io.lamina.cvmfs.catalog.SealedCatalog;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * The catalogs that a transaction touches, opened as far as it needs them: changes go to the
 * catalog that holds their path, and the result is sealed from the leaves to the root, each catalog
 * once. Not thread-safe; close it.
 *
 * <p>Source: docs/protocol/transactions.md, "Changes" and "Splitting".
 */
final class CatalogTree implements AutoCloseable {
  /**
   * A catalog of images' links or metadata with more rows is split further down. Small enough that
   * rewriting one costs a few milliseconds, large enough that a client that walks a registry loads
   * few catalogs.
   */
  static final int MAX_ROWS_BEFORE_SPLIT = 1_000;

  private static final int MAX_DEPTH = 64;

  /** A finished catalog and its object. */
  record Stored(SealedCatalog sealed, ContentHash object) {}

  /** Does what costs time, several at once. */
  interface Workshop {
    /** Opens catalogs for changes; in order. */
    List<EditableCatalog> open(List<ContentHash> hashes);

    /** Seals, compresses and stores catalogs of which none hangs in another; in order. */
    List<Stored> store(List<EditableCatalog> catalogs, long timestampSeconds);
  }

  private static final class Node {
    final EditableCatalog catalog;
    final @Nullable Node parent;
    final Map<RepositoryPath, Node> children = new TreeMap<>();

    Node(EditableCatalog catalog, @Nullable Node parent) {
      this.catalog = catalog;
      this.parent = parent;
    }

    int depth() {
      return RepositoryLayout.depth(catalog.mount());
    }
  }

  private final CatalogStore catalogs;
  private final Workshop workshop;
  private final long timestampSeconds;
  private final Node root;
  private final List<CatalogChange> effective = new ArrayList<>();
  private long rootSizeBytes;

  CatalogTree(
      ContentHash rootCatalog, CatalogStore catalogs, Workshop workshop, long timestampSeconds) {
    this.catalogs = catalogs;
    this.workshop = workshop;
    this.timestampSeconds = timestampSeconds;
    this.root = new Node(workshop.open(List.of(rootCatalog)).getFirst(), null);
  }

  /** What really changed so far, with the splits that were made. */
  List<CatalogChange> effective() {
    return effective;
  }

  /**
   * Makes a change, unless it is true already.
   *
   * @throws CvmfsException.Rejected if it can never be made
   */
  void apply(CatalogChange change) {
    if (isTrue(change)) {
      return;
    }
    if (!(change instanceof CatalogChange.Remove)) {
      splitOnTheWayTo(change.path());
    }
    if (change instanceof CatalogChange.Split && isTrue(change)) {
      return;
    }
    make(change);
    effective.add(change);
  }

  private boolean isTrue(CatalogChange change) {
    RepositoryPath path = change.path();
    if (path.isRoot()) {
      if (change instanceof CatalogChange.Split) {
        return true;
      }
      throw new CvmfsException.Rejected("the root of a repository can only be a directory");
    }
    Node host = holding(path.parent());
    return switch (change) {
      case CatalogChange.Split split -> holding(path).catalog.mount().equals(path);
      case CatalogChange.Attach attach ->
          !host.children.containsKey(path)
              && host.catalog
                  .nestedAbove(path)
                  .filter(
                      nested ->
                          nested.path().equals(path)
                              && nested.hash().equals(attach.graft().catalog()))
                  .isPresent()
              && host.catalog.find(path).equals(Optional.of(attach.graft().root()));
      case CatalogChange.PutFile file ->
          host.catalog
              .find(path)
              .filter(
                  entry ->
                      entry.isRegular()
                          && Objects.equals(entry.hash(), file.object())
                          && entry.sizeBytes() == file.sizeBytes())
              .isPresent();
      case CatalogChange.PutSymlink link ->
          host.catalog
              .find(path)
              .filter(
                  entry -> entry.isSymlink() && Arrays.equals(entry.symlinkTarget(), target(link)))
              .isPresent();
      case CatalogChange.Remove remove -> host.catalog.find(path).isEmpty();
    };
  }

  private void make(CatalogChange change) {
    RepositoryPath path = change.path();
    Node host = holding(path.parent());
    if (!(change instanceof CatalogChange.Split)) {
      sealBelow(host, path);
    }
    if (!(change instanceof CatalogChange.Remove)) {
      host.catalog.makeDirectories(path.parent(), Directories.plain(timestampSeconds));
    }
    switch (change) {
      case CatalogChange.Split split -> {
        host.catalog.makeDirectories(path, Directories.plain(timestampSeconds));
        sealBelow(host, path);
        EditableCatalog child = host.catalog.split(path, HashAlgorithm.SHA1, this::totalOf);
        host.children.put(path, new Node(child, host));
      }
      case CatalogChange.Attach attach -> {
        host.catalog.attach(attach.graft(), this::totalOf);
        catalogs.keepTotal(attach.graft().catalog(), attach.graft().total());
      }
      case CatalogChange.PutFile file ->
          host.catalog.put(
              path,
              CatalogEntry.file(file.object(), file.sizeBytes(), 0644, timestampSeconds),
              this::totalOf);
      case CatalogChange.PutSymlink link ->
          host.catalog.put(
              path, CatalogEntry.symlink(target(link), timestampSeconds), this::totalOf);
      case CatalogChange.Remove remove -> host.catalog.remove(path, this::totalOf);
    }
  }

  private static byte[] target(CatalogChange.PutSymlink link) {
    return link.target().getBytes(StandardCharsets.UTF_8);
  }

  private void splitOnTheWayTo(RepositoryPath path) {
    for (RepositoryPath folder : RepositoryLayout.catalogFolders(path)) {
      splitAt(folder);
    }
    if (!RepositoryLayout.splitsByGrowth(path)) {
      return;
    }
    for (RepositoryPath folder : RepositoryLayout.ancestors(path)) {
      Node host = holding(folder);
      if (!host.catalog.mount().equals(folder)
          && host.catalog.mount().equals(folder.parent())
          && host.catalog.rows() > MAX_ROWS_BEFORE_SPLIT) {
        splitAt(folder);
      }
    }
  }

  private void splitAt(RepositoryPath folder) {
    CatalogChange.Split split = new CatalogChange.Split(folder);
    if (!isTrue(split)) {
      make(split);
      effective.add(split);
    }
  }

  // ---- finding catalogs ---------------------------------------------------------------------

  /** The catalog that holds the entries of this directory, whether that exists or not. */
  private Node holding(RepositoryPath directory) {
    Node node = root;
    for (int depth = 0; depth < MAX_DEPTH; depth++) {
      Node next = childOnTheWay(node, directory);
      if (next == null) {
        return node;
      }
      node = next;
    }
    throw new RepositoryException.Corrupt(
        "catalogs are nested more than " + MAX_DEPTH + " deep above " + directory, null);
  }

  private @Nullable Node childOnTheWay(Node node, RepositoryPath directory) {
    RepositoryPath mount = node.catalog.mount();
    for (RepositoryPath at = directory; !at.equals(mount) && !at.isRoot(); at = at.parent()) {
      Node opened = node.children.get(at);
      if (opened != null) {
        return opened;
      }
    }
    Optional<NestedCatalog> nested = node.catalog.nestedAbove(directory);
    if (nested.isEmpty()) {
      return null;
    }
    return adopt(node, nested.get(), workshop.open(List.of(nested.get().hash())).getFirst());
  }

  private static Node adopt(Node parent, NestedCatalog nested, EditableCatalog catalog) {
    if (!catalog.mount().equals(nested.path())) {
      RepositoryPath madeFor = catalog.mount();
      catalog.close();
      throw new RepositoryException.Corrupt(
          "catalog "
              + nested.hash()
              + " hangs at "
              + nested.path()
              + " and was made for "
              + madeFor,
          null);
    }
    Node child = new Node(catalog, parent);
    parent.children.put(nested.path(), child);
    return child;
  }

  /**
   * Opens the catalogs that the changes will need, level by level, those of a level at once: from a
   * distant store each costs a round trip.
   */
  void prefetch(List<CatalogChange> changes) {
    Map<RepositoryPath, Node> at = new TreeMap<>();
    for (CatalogChange change : changes) {
      if (!change.path().isRoot()) {
        at.put(change.path().parent(), root);
      }
    }
    for (int depth = 0; depth < MAX_DEPTH && !at.isEmpty(); depth++) {
      Map<RepositoryPath, Node> next = new TreeMap<>();
      Map<NestedCatalog, Node> missing = new LinkedHashMap<>();
      at.forEach(
          (directory, node) ->
              node.catalog
                  .nestedAbove(directory)
                  .ifPresent(
                      nested -> {
                        missing.putIfAbsent(nested, node);
                        next.put(directory, node);
                      }));
      List<NestedCatalog> wanted = List.copyOf(missing.keySet());
      List<EditableCatalog> opened =
          workshop.open(wanted.stream().map(NestedCatalog::hash).toList());
      for (int i = 0; i < wanted.size(); i++) {
        adopt(Objects.requireNonNull(missing.get(wanted.get(i))), wanted.get(i), opened.get(i));
      }
      next.replaceAll(
          (directory, node) ->
              node.children.values().stream()
                  .filter(child -> directory.startsWith(child.catalog.mount()))
                  .findFirst()
                  .orElseThrow());
      at = next;
    }
  }

  private Counters totalOf(NestedCatalog nested) {
    try {
      return catalogs.total(nested.hash());
    } catch (CvmfsException.Corrupt | CvmfsException.Rejected e) {
      throw new RepositoryException.Corrupt(
          "catalog " + nested.hash() + " at " + nested.path() + " cannot be read", e);
    }
  }

  // ---- sealing ------------------------------------------------------------------------------

  /** Ends the changes: stores every changed catalog, and gives the root catalog's object. */
  ContentHash seal() {
    sealChildren(List.copyOf(root.children.values()));
    Stored stored = workshop.store(List.of(root.catalog), timestampSeconds).getFirst();
    rootSizeBytes = stored.sealed().database().length;
    return stored.object();
  }

  /** Uncompressed size of the sealed root catalog. */
  long rootSizeBytes() {
    return rootSizeBytes;
  }

  /**
   * Finishes the catalogs that were opened at a path or below it, since something is about to
   * happen to the place where they hang.
   */
  private void sealBelow(Node host, RepositoryPath path) {
    List<Node> concerned =
        host.children.values().stream()
            .filter(child -> child.catalog.mount().startsWith(path))
            .toList();
    sealChildren(concerned);
  }

  private void sealChildren(Collection<Node> tops) {
    Map<Integer, List<Node>> byDepth = new TreeMap<>(Comparator.reverseOrder());
    tops.forEach(top -> collect(top, byDepth));
    for (List<Node> level : byDepth.values()) {
      List<Node> changed = level.stream().filter(node -> node.catalog.isChanged()).toList();
      List<Stored> stored =
          workshop.store(changed.stream().map(node -> node.catalog).toList(), timestampSeconds);
      for (int i = 0; i < changed.size(); i++) {
        parentOf(changed.get(i)).catalog.adopt(stored.get(i).sealed(), stored.get(i).object());
      }
      for (Node node : level) {
        node.catalog.close();
        parentOf(node).children.remove(node.catalog.mount());
      }
    }
  }

  private static Node parentOf(Node node) {
    if (node.parent == null) {
      throw new IllegalStateException("the root catalog hangs nowhere");
    }
    return node.parent;
  }

  private static void collect(Node node, Map<Integer, List<Node>> byDepth) {
    byDepth.computeIfAbsent(node.depth(), depth -> new ArrayList<>()).add(node);
    node.children.values().forEach(child -> collect(child, byDepth));
  }

  @Override
  public void close() {
    close(root);
  }

  private static void close(Node node) {
    node.children.values().forEach(CatalogTree::close);
    node.catalog.close();
  }
}
