package io.lamina.converter.layer;

import io.lamina.converter.layer.ConversionReport.Decision;
import io.lamina.cvmfs.ContentHash;
import io.lamina.cvmfs.RepositoryPath;
import io.lamina.cvmfs.catalog.CatalogEntry;
import io.lamina.cvmfs.catalog.Chunk;
import io.lamina.cvmfs.catalog.Xattrs;
import io.lamina.cvmfs.compression.CompressionAlgorithm;
import io.lamina.cvmfs.tree.FileTree;
import io.lamina.cvmfs.tree.LayerMerge;
import io.lamina.image.ImageException;
import io.lamina.image.layer.EntryAttributes;
import io.lamina.image.layer.LayerEntry;
import io.lamina.image.layer.LayerPath;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * One layer's entries as a tree, filled in the archive's order. Only this layer counts: links are
 * data, and nothing is ever looked up through one.
 *
 * <p>Source: docs/conversion.md, "The tree". Single-threaded.
 */
final class LayerTree {
  private static final int MAX_LINK_HOPS = 40;
  private static final int MAX_MARK_BYTES = 255;
  private static final byte[] UP = {'.', '.', '/'};
  private static final byte[] NO_TARGET = {};

  private final ConversionReport.Collector report;
  private final EntryAttributes implicitAttributes;
  private final Node root;
  private final List<Pending> pendingLinks = new ArrayList<>();

  /** A file's identity: hard links share it. */
  static final class Inode {
    final int type;
    final EntryAttributes attributes;
    @Nullable RepositoryPath firstPath;
    boolean shared;
    final long sizeBytes;
    final @Nullable FileContent content;
    final byte[] target;

    private Inode(
        int type,
        EntryAttributes attributes,
        long sizeBytes,
        @Nullable FileContent content,
        byte[] target) {
      this.type = type;
      this.attributes = attributes;
      this.sizeBytes = sizeBytes;
      this.content = content;
      this.target = target;
    }
  }

  /** A name's place in the tree. */
  static final class Node {
    Inode inode;
    boolean implicit;
    boolean opaque;

    /** Set while a hard link waits for its target, and for good if that is in a lower layer. */
    @Nullable LayerPath linkTarget;

    /** By name, one character a byte; null for all but directories. */
    @Nullable Map<String, Node> children;

    /** Names that lower layers have and that are gone, with the marker's attributes. */
    @Nullable Map<String, EntryAttributes> whiteouts;

    private Node(Inode inode) {
      this.inode = inode;
      this.children = inode.type == CatalogEntry.DIRECTORY ? new HashMap<>(4) : null;
    }
  }

  private record Pending(LayerPath path, Node node) {}

  /**
   * @param timeSeconds recorded time for directories that the layer does not hold itself
   */
  LayerTree(long timeSeconds, ConversionReport.Collector report) {
    this.report = report;
    this.implicitAttributes =
        new EntryAttributes(0755, 0, 0, timeSeconds, 0, Collections.emptySortedMap());
    this.root = implicitDirectory();
  }

  private Node implicitDirectory() {
    Node node = new Node(new Inode(CatalogEntry.DIRECTORY, implicitAttributes, 0, null, NO_TARGET));
    node.implicit = true;
    return node;
  }

  /**
   * Adds any entry but a regular file.
   *
   * @throws ImageException.Rejected if the entry lies below something that is no directory
   */
  void add(LayerEntry entry) {
    switch (entry) {
      case LayerEntry.Directory e -> addDirectory(e.path(), e.attributes());
      case LayerEntry.RegularFile e ->
          throw new IllegalArgumentException("the content of " + e.path() + " is missing");
      case LayerEntry.Symlink e -> addSymlink(e);
      case LayerEntry.HardLink e -> addHardLink(e);
      case LayerEntry.Device e -> addDevice(e);
      case LayerEntry.Fifo e ->
          replace(e.path(), new Inode(CatalogEntry.FIFO, e.attributes(), 0, null, NO_TARGET));
      case LayerEntry.Whiteout e -> addWhiteout(e);
      case LayerEntry.OpaqueMarker e -> addOpaqueMarker(e);
      case LayerEntry.Ignored e -> report.add(Decision.IGNORED, e.path(), e.reason());
    }
  }

  void addFile(LayerEntry.RegularFile file, FileContent content) {
    replace(
        file.path(),
        new Inode(CatalogEntry.REGULAR, file.attributes(), file.sizeBytes(), content, NO_TARGET));
  }

  private void addDirectory(LayerPath path, EntryAttributes attributes) {
    Inode inode = new Inode(CatalogEntry.DIRECTORY, attributes, 0, null, NO_TARGET);
    Node existing = path.isRoot() ? root : find(path);
    if (existing != null && existing.children != null) {
      existing.inode = inode;
      existing.implicit = false;
      return;
    }
    replace(path, inode);
  }

  private void addSymlink(LayerEntry.Symlink link) {
    String target = new String(link.target(), StandardCharsets.ISO_8859_1);
    int variable = target.indexOf("$(");
    if (variable >= 0 && target.indexOf(')', variable) >= 0) {
      report.add(Decision.TARGET_WITH_VARIABLE, link.path(), target);
    }
    replace(
        link.path(),
        new Inode(
            CatalogEntry.SYMLINK, link.attributes(), link.target().length, null, link.target()));
  }

  private void addDevice(LayerEntry.Device device) {
    boolean character = device.kind() == LayerEntry.Device.Kind.CHARACTER;
    if (character && device.major() == 0 && device.minor() == 0) {
      report.add(Decision.WHITEOUT_DEVICE, device.path(), "");
    }
    long number =
        (device.major() & 0xfffL) << 8 | (device.minor() & 0xffL) | (device.minor() & ~0xffL) << 12;
    replace(
        device.path(),
        new Inode(
            character ? CatalogEntry.CHARACTER_DEVICE : CatalogEntry.BLOCK_DEVICE,
            device.attributes(),
            number,
            null,
            NO_TARGET));
  }

  private void addHardLink(LayerEntry.HardLink link) {
    if (link.target().isRoot() || link.target().equals(link.path())) {
      report.add(Decision.LINK_IMPOSSIBLE, link.path(), "links to " + link.target());
      return;
    }
    Node target = find(link.target());
    if (target != null && target.children != null) {
      report.add(Decision.LINK_IMPOSSIBLE, link.path(), "links to the directory " + link.target());
      return;
    }
    if (target != null && target.linkTarget == null) {
      target.inode.shared = true;
      replace(link.path(), target.inode);
      return;
    }
    Node node =
        replace(
            link.path(), new Inode(CatalogEntry.SYMLINK, link.attributes(), 0, null, NO_TARGET));
    node.linkTarget = link.target();
    pendingLinks.add(new Pending(link.path(), node));
  }

  private void addWhiteout(LayerEntry.Whiteout whiteout) {
    Node parent = parent(whiteout.path());
    if (parent.whiteouts == null) {
      parent.whiteouts = new HashMap<>(4);
    }
    parent.whiteouts.put(key(whiteout.path()), whiteout.attributes());
  }

  private void addOpaqueMarker(LayerEntry.OpaqueMarker marker) {
    Node node = root;
    if (!marker.path().isRoot()) {
      Node existing = find(marker.path());
      node = existing == null ? replace(marker.path(), implicitDirectory().inode) : existing;
      if (existing == null) {
        node.implicit = true;
        report.add(Decision.PARENT_MADE, marker.path(), "");
      }
    }
    if (node.children == null) {
      throw below(marker.path(), marker.path());
    }
    node.opaque = true;
  }

  /** Puts an entry at a path; what was there, with all below it, is gone. */
  private Node replace(LayerPath path, Inode inode) {
    Map<String, Node> siblings = childrenOf(parent(path), path);
    Node node = new Node(inode);
    if (siblings.put(key(path), node) != null) {
      report.add(Decision.REPLACED, path, "");
    }
    return node;
  }

  private static Map<String, Node> childrenOf(Node directory, LayerPath of) {
    Map<String, Node> children = directory.children;
    if (children == null) {
      throw new IllegalStateException("the parent of " + of + " is no directory");
    }
    return children;
  }

  private static String key(LayerPath path) {
    return new String(path.name(), StandardCharsets.ISO_8859_1);
  }

  /** The directory that holds a path; made, with those above it, if it is not there. */
  private Node parent(LayerPath path) {
    byte[] bytes = path.bytes();
    Node node = root;
    int start = 0;
    for (int i = 0; i < bytes.length; i++) {
      if (bytes[i] != '/') {
        continue;
      }
      String name = new String(bytes, start, i - start, StandardCharsets.ISO_8859_1);
      Map<String, Node> children = childrenOf(node, path);
      Node child = children.get(name);
      if (child == null) {
        child = implicitDirectory();
        children.put(name, child);
        report.add(Decision.PARENT_MADE, display(bytes, i), "");
      }
      if (child.children == null) {
        throw below(path, display(bytes, i));
      }
      node = child;
      start = i + 1;
    }
    return node;
  }

  private static ImageException.Rejected below(Object path, Object obstacle) {
    return new ImageException.Rejected(
        "entry '"
            + path
            + "' needs the directory '"
            + obstacle
            + "', which is a file or link in the same layer; links are not followed");
  }

  private static String display(byte[] bytes, int length) {
    return new String(bytes, 0, length, StandardCharsets.UTF_8);
  }

  /** The entry at a path, without following links; null if there is none. */
  private @Nullable Node find(LayerPath path) {
    byte[] bytes = path.bytes();
    Node node = root;
    int start = 0;
    for (int i = 0; i <= bytes.length; i++) {
      if (i < bytes.length && bytes[i] != '/') {
        continue;
      }
      Map<String, Node> children = node.children;
      Node child =
          children == null
              ? null
              : children.get(new String(bytes, start, i - start, StandardCharsets.ISO_8859_1));
      if (child == null) {
        return null;
      }
      node = child;
      start = i + 1;
    }
    return node;
  }

  /**
   * Ends the tree: links whose targets came later are joined with them, and whiteouts are weighed
   * against entries of the same name.
   */
  private void complete() {
    for (Pending pending : pendingLinks) {
      resolve(pending);
    }
    pendingLinks.clear();
    completeDirectory(root);
  }

  private void resolve(Pending pending) {
    Node target = pending.node;
    for (int hop = 0; hop < MAX_LINK_HOPS && target != null && target.linkTarget != null; hop++) {
      Node next = find(target.linkTarget);
      if (next == target) {
        break;
      }
      target = next;
    }
    if (target != null && target.linkTarget == null && target.children == null) {
      target.inode.shared = true;
      pending.node.inode = target.inode;
      pending.node.linkTarget = null;
    }
  }

  private void completeDirectory(Node directory) {
    Map<String, Node> children = directory.children;
    Map<String, EntryAttributes> whiteouts = directory.whiteouts;
    if (children == null) {
      return;
    }
    if (whiteouts != null) {
      Set<String> overruled = new HashSet<>();
      for (String name : whiteouts.keySet()) {
        Node entry = children.get(name);
        if (entry != null) {
          // The entry is new: nothing of a lower directory of this name may show through it.
          entry.opaque = entry.children != null;
          overruled.add(name);
        }
      }
      whiteouts.keySet().removeAll(overruled);
    }
    for (Node child : children.values()) {
      completeDirectory(child);
    }
  }

  /**
   * Ends the tree and gives it as what catalogs are written from; it is empty afterwards. All
   * contents must be stored.
   */
  FileTree toFileTree(int maxEntries) {
    complete();
    FileTree tree = new FileTree(maxEntries, entry(root, RepositoryPath.ROOT));
    move(root, RepositoryPath.ROOT, tree);
    return tree;
  }

  /** Moves what lies below a directory, so that no entry is held twice. */
  private void move(Node directory, RepositoryPath path, FileTree tree) {
    Map<String, Node> children = directory.children;
    if (children == null) {
      return;
    }
    String[] names = children.keySet().toArray(String[]::new);
    Arrays.sort(names);
    for (String name : names) {
      Node child = Objects.requireNonNull(children.remove(name));
      RepositoryPath childPath = path.resolve(name.getBytes(StandardCharsets.ISO_8859_1));
      RepositoryPath first = child.inode.firstPath;
      if (first != null) {
        tree.link(first, childPath);
        if (!first.parent().equals(path)) {
          report.add(Decision.LINK_ACROSS_DIRECTORIES, childPath, "also at " + first);
        }
        continue;
      }
      tree.put(childPath, entry(child, childPath));
      if (child.inode.shared && child.children == null) {
        child.inode.firstPath = childPath;
      }
      move(child, childPath, tree);
    }
    if (directory.whiteouts != null) {
      directory.whiteouts.forEach(
          (name, attributes) ->
              tree.put(
                  path.resolve(name.getBytes(StandardCharsets.ISO_8859_1)), whiteout(attributes)));
    }
  }

  private static CatalogEntry whiteout(EntryAttributes marker) {
    return new CatalogEntry(
        CatalogEntry.CHARACTER_DEVICE,
        0,
        0,
        0,
        marker.mtimeSeconds(),
        -1,
        0,
        1,
        null,
        CompressionAlgorithm.ZLIB,
        NO_TARGET,
        Xattrs.NONE,
        List.of());
  }

  private CatalogEntry entry(Node node, RepositoryPath path) {
    Inode inode = node.inode;
    EntryAttributes attributes = inode.attributes;
    SortedMap<String, byte[]> marks = Collections.emptySortedMap();
    byte[] target = inode.target;
    LayerPath lowerFile = node.linkTarget;
    if (lowerFile != null) {
      target = relative(path, lowerFile);
      marks = new TreeMap<>();
      if (lowerFile.bytes().length <= MAX_MARK_BYTES) {
        marks.put(Markers.HARD_LINK, lowerFile.bytes());
      }
      report.add(Decision.LINK_INTO_LOWER_LAYER, path, "links to " + lowerFile);
    } else if (node.opaque || node.implicit) {
      marks = new TreeMap<>();
      if (node.opaque) {
        marks.put(LayerMerge.OPAQUE_ATTRIBUTE, Markers.yes());
      }
      if (node.implicit) {
        marks.put(Markers.IMPLICIT, Markers.yes());
      }
    }
    ContentHash hash = null;
    List<Chunk> chunks = List.of();
    CompressionAlgorithm compression = CompressionAlgorithm.ZLIB;
    switch (inode.content) {
      case null -> {}
      case FileContent.Whole whole -> {
        hash = whole.hash();
        compression = whole.compression();
      }
      case FileContent.Pieces pieces -> {
        chunks =
            pieces.pieces().stream()
                .map(
                    piece ->
                        new Chunk(piece.offsetBytes(), piece.sizeBytes(), piece.object().hash()))
                .toList();
        compression = pieces.compression();
      }
    }
    boolean symlink = inode.type == CatalogEntry.SYMLINK;
    return new CatalogEntry(
        inode.type | (symlink ? 0777 : attributes.permissions()),
        attributes.uid(),
        attributes.gid(),
        inode.type == CatalogEntry.DIRECTORY
            ? CatalogEntry.DIRECTORY_SIZE_BYTES
            : symlink ? target.length : inode.sizeBytes,
        attributes.mtimeSeconds(),
        attributes.mtimeNanos() == 0 ? -1 : attributes.mtimeNanos(),
        0,
        1,
        hash,
        compression,
        target,
        EntryXattrs.of(attributes.xattrs(), marks, path, report),
        chunks);
  }

  /** A link's target that leads from an entry to another path of the same tree. */
  private static byte[] relative(RepositoryPath from, LayerPath to) {
    ByteArrayOutputStream target = new ByteArrayOutputStream();
    for (RepositoryPath at = from.parent(); !at.isRoot(); at = at.parent()) {
      target.writeBytes(UP);
    }
    target.writeBytes(to.bytes());
    if (target.size() > CatalogEntry.MAX_TARGET_BYTES) {
      target.reset();
      target.write('/');
      target.writeBytes(to.bytes());
    }
    return target.toByteArray();
  }
}
