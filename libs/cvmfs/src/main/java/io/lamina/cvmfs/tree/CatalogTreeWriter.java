package io.lamina.cvmfs.tree;

import io.lamina.cvmfs.CvmfsException;
import io.lamina.cvmfs.ObjectKind;
import io.lamina.cvmfs.PathHash;
import io.lamina.cvmfs.RepositoryPath;
import io.lamina.cvmfs.catalog.CatalogEntry;
import io.lamina.cvmfs.catalog.CatalogMarker;
import io.lamina.cvmfs.catalog.CatalogProperties;
import io.lamina.cvmfs.catalog.CatalogWriter;
import io.lamina.cvmfs.catalog.Graft;
import io.lamina.cvmfs.compression.CompressedObject;
import io.lamina.cvmfs.compression.ObjectCompressor;
import java.nio.charset.StandardCharsets;
import java.util.IdentityHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * Writes a tree as the nested catalog of one mount path, and of further ones inside where it is
 * large. Each catalog begins with its marker, whose object is {@link CompressedObject#empty}: the
 * caller has to store that one too. Names on the way to a file that were hard links of each other
 * stay so within a directory and become files of their own across directories, as the format wants.
 *
 * <p>One catalog is in memory at a time. The bytes depend on the tree, the mount path, the settings
 * and the compressor alone. Thread-safe; a tree is used by one call at a time.
 *
 * <p>Source: docs/format/catalogs.md, "Nested catalogs", "Splitting by size", "Hard links".
 */
public final class CatalogTreeWriter {
  private static final byte[] MARKER = CatalogMarker.NAME.getBytes(StandardCharsets.US_ASCII);
  private static final byte[] AUTOMATIC_MARKER =
      CatalogMarker.AUTOMATIC_NAME.getBytes(StandardCharsets.US_ASCII);

  private final CatalogTreeSettings settings;
  private final ObjectCompressor compressor;

  /**
   * @param compressor makes the catalogs' objects; not closed here
   */
  public CatalogTreeWriter(CatalogTreeSettings settings, ObjectCompressor compressor) {
    this.settings = settings;
    this.compressor = compressor;
  }

  /**
   * Writes the tree; entries with {@linkplain ReservedNames reserved names} are removed from it.
   *
   * @param mount where the tree's root will hang
   * @param sink gets each catalog, leaves first
   * @param leftOut is told of entries with reserved names
   * @return what to hang in at {@code mount}
   * @throws CvmfsException.Rejected if a path with {@code mount} in front grows too long, an entry
   *     does not fit into a catalog, or {@code mount} is the repository's root
   */
  public Graft write(
      FileTree tree, RepositoryPath mount, CatalogSink sink, ReservedNames.Listener leftOut) {
    if (mount.isRoot()) {
      throw new CvmfsException.Rejected("a tree is no repository; mount it below the root");
    }
    ReservedNames.removeFrom(tree, leftOut);
    Set<Node> mountpoints =
        CatalogSplit.mountpoints(tree, settings.maxEntries(), settings.minEntries());
    return new Run(mountpoints, sink, new PathBuffer(mount)).writeCatalog(tree.root(), false);
  }

  /** The writing of one tree. */
  private final class Run {
    private final Set<Node> mountpoints;
    private final CatalogSink sink;
    private final PathBuffer path;
    private final Map<Node, Graft> grafts = new IdentityHashMap<>();

    Run(Set<Node> mountpoints, CatalogSink sink, PathBuffer path) {
      this.mountpoints = mountpoints;
      this.sink = sink;
      this.path = path;
    }

    /** Writes the catalog of the directory at which {@link #path} stands, after those inside it. */
    Graft writeCatalog(Node directory, boolean automatic) {
      if (!mountpoints.isEmpty()) {
        writeNestedBelow(directory);
      }
      RepositoryPath mount = path.path();
      CatalogEntry root = directoryEntry(directory);
      CatalogWriter writer =
          new CatalogWriter(
              CatalogProperties.firstNested(mount, settings.lastModifiedSeconds()), root);
      PathHash hash = path.hash();
      addMarker(writer, hash, MARKER, root);
      if (automatic) {
        addMarker(writer, hash, AUTOMATIC_MARKER, root);
      }
      new Rows(writer).addBelow(directory, hash);
      byte[] database = writer.finish();
      CompressedObject object = compressor.compress(database, settings.algorithm());
      sink.store(mount, ObjectKind.CATALOG, object);
      return new Graft(
          mount,
          object.hash(),
          database.length,
          root,
          writer.self().plus(writer.subtree()),
          Optional.of(settings.lastModifiedSeconds()));
    }

    private void writeNestedBelow(Node directory) {
      int here = path.length();
      for (Node child : directory.children()) {
        if (child.isDirectory()) {
          path.enter(child.name());
          if (mountpoints.contains(child)) {
            grafts.put(child, writeCatalog(child, true));
          } else {
            writeNestedBelow(child);
          }
          path.leaveTo(here);
        }
      }
    }

    private void addMarker(
        CatalogWriter writer, PathHash directory, byte[] name, CatalogEntry root) {
      int here = path.length();
      path.enter(name);
      writer.add(path.hash(), directory, name, CatalogMarker.in(root, settings.algorithm()));
      path.leaveTo(here);
    }

    private static CatalogEntry directoryEntry(Node directory) {
      return directory.inode().entry(0, 2 + directory.subdirectories());
    }

    /** The rows of one catalog. */
    private final class Rows {
      private final CatalogWriter writer;
      private int lastGroup;

      Rows(CatalogWriter writer) {
        this.writer = writer;
      }

      /** Adds a directory's entries side by side, then what lies below each in turn. */
      void addBelow(Node directory, PathHash directoryHash) {
        int here = path.length();
        LinkGroups groups = new LinkGroups(directory);
        for (Node child : directory.children()) {
          Graft graft = grafts.get(child);
          if (graft != null) {
            writer.addNested(graft);
            continue;
          }
          path.enter(child.name());
          CatalogEntry entry =
              child.isDirectory() ? directoryEntry(child) : groups.entry(child.inode());
          writer.add(path.hash(), directoryHash, child.name(), entry);
          path.leaveTo(here);
        }
        for (Node child : directory.children()) {
          if (child.isDirectory() && !grafts.containsKey(child)) {
            path.enter(child.name());
            addBelow(child, path.hash());
            path.leaveTo(here);
          }
        }
      }

      /** The hard links within one directory. */
      private final class LinkGroups {
        private final Map<Inode, Integer> members = new IdentityHashMap<>(0);
        private final Map<Inode, Integer> numbers = new IdentityHashMap<>(0);

        LinkGroups(Node directory) {
          for (Node child : directory.children()) {
            if (child.inode().isShared()) {
              members.merge(child.inode(), 1, Integer::sum);
            }
          }
        }

        CatalogEntry entry(Inode inode) {
          int count = members.getOrDefault(inode, 1);
          int group = count == 1 ? 0 : numbers.computeIfAbsent(inode, first -> ++lastGroup);
          return inode.entry(group, count);
        }
      }
    }
  }
}
