package io.lamina.cvmfs.tree;

import io.lamina.cvmfs.ContentHash;
import io.lamina.cvmfs.CvmfsException;
import io.lamina.cvmfs.PathHash;
import io.lamina.cvmfs.RepositoryPath;
import io.lamina.cvmfs.catalog.CatalogEntry;
import io.lamina.cvmfs.catalog.CatalogFlags;
import io.lamina.cvmfs.catalog.CatalogReader;
import io.lamina.cvmfs.catalog.CatalogRow;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashMap;
import java.util.Map;
import java.util.function.Function;

/**
 * Loads a tree from the catalogs that hold it: one catalog and all that hang in it. Markers of
 * nested catalogs are left out; hard links stay hard links. One catalog is open at a time.
 *
 * <p>Thread-safe as far as the function that fetches catalogs is.
 */
public final class CatalogTreeReader {
  private final Function<ContentHash, byte[]> catalogs;

  /**
   * @param catalogs gives the decompressed, verified database of a catalog's object
   */
  public CatalogTreeReader(Function<ContentHash, byte[]> catalogs) {
    this.catalogs = catalogs;
  }

  /**
   * Loads all below {@code mount} into {@code tree}, whose root becomes the directory there.
   *
   * @param tree empty; sets the bound on the entries
   * @param mount where the catalog hangs
   * @param catalog its object
   * @throws CvmfsException.Rejected if there are more entries than {@code tree} may hold, or an
   *     entry that a tree cannot (a file outside the repository)
   * @throws CvmfsException.Corrupt if a catalog contradicts itself or the one above it
   */
  public void load(FileTree tree, RepositoryPath mount, ContentHash catalog) {
    Deque<Pending> pending = new ArrayDeque<>();
    pending.add(new Pending(tree.root(), mount, catalog, 0));
    while (!pending.isEmpty()) {
      Pending next = pending.remove();
      try (CatalogReader reader = CatalogReader.open(catalogs.apply(next.catalog))) {
        new Load(tree, reader, next, pending).run();
      }
    }
  }

  /** A catalog that is still to be read, and the directory that it fills. */
  private record Pending(Node directory, RepositoryPath mount, ContentHash catalog, int depth) {}

  /** The reading of one catalog. */
  private static final class Load {
    private final FileTree tree;
    private final CatalogReader reader;
    private final Pending source;
    private final Deque<Pending> pending;
    private final PathBuffer path;

    Load(FileTree tree, CatalogReader reader, Pending source, Deque<Pending> pending) {
      this.tree = tree;
      this.reader = reader;
      this.source = source;
      this.pending = pending;
      this.path = new PathBuffer(source.mount);
    }

    void run() {
      if (!reader.mount().equals(source.mount)) {
        throw new CvmfsException.Corrupt(
            "the catalog "
                + source.catalog
                + " was made for "
                + reader.mount()
                + " and hangs at "
                + source.mount);
      }
      PathHash hash = path.hash();
      CatalogRow root =
          reader
              .lookup(hash)
              .orElseThrow(
                  () ->
                      new CvmfsException.Corrupt(
                          "the catalog at " + source.mount + " has no row for its root"));
      if (!root.isDirectory()) {
        throw new CvmfsException.Corrupt(
            "the root of the catalog at " + source.mount + " is no directory");
      }
      source.directory.become(new Inode(reader.entry(root)));
      fill(source.directory, hash, source.depth);
    }

    private void fill(Node directory, PathHash directoryHash, int depth) {
      int here = path.length();
      Map<Integer, Inode> groups = new HashMap<>(0);
      for (CatalogRow row : reader.list(directoryHash)) {
        byte[] name = row.requireName();
        if (ReservedNames.isReserved(name)) {
          continue;
        }
        requireName(name, row);
        FileTree.requireDepth(depth + 1);
        path.enter(name);
        PathHash hash = path.hash();
        if (!hash.equals(row.path())) {
          throw new CvmfsException.Corrupt(
              "row "
                  + row.rowId()
                  + " of the catalog at "
                  + source.mount
                  + " is not filed under its path "
                  + path.path());
        }
        Node node = tree.put(directory, name, inode(row, groups));
        if (row.isNestedMountpoint()) {
          RepositoryPath mountpoint = path.path();
          ContentHash catalog =
              reader
                  .nestedAt(mountpoint)
                  .orElseThrow(
                      () ->
                          new CvmfsException.Corrupt(
                              mountpoint + " is a mountpoint for which no catalog is named"))
                  .hash();
          pending.add(new Pending(node, mountpoint, catalog, depth + 1));
        } else if (node.isDirectory()) {
          fill(node, hash, depth + 1);
        }
        path.leaveTo(here);
      }
    }

    private void requireName(byte[] name, CatalogRow row) {
      try {
        RepositoryPath.ROOT.resolve(name);
      } catch (CvmfsException.Rejected e) {
        throw new CvmfsException.Corrupt(
            "row " + row.rowId() + " of the catalog at " + source.mount + ": " + e.getMessage(), e);
      }
    }

    private Inode inode(CatalogRow row, Map<Integer, Inode> groups) {
      if ((row.flags() & CatalogFlags.EXTERNAL) != 0) {
        throw new CvmfsException.Rejected(
            path.path() + " is a file outside the repository; trees cannot hold it");
      }
      CatalogEntry entry = reader.entry(row);
      if (row.hardlinkGroup() == 0 || row.isDirectory()) {
        return new Inode(entry);
      }
      Inode first = groups.get(row.hardlinkGroup());
      if (first == null) {
        first = new Inode(entry);
        groups.put(row.hardlinkGroup(), first);
        return first;
      }
      // Members that differ break the format's rule; as files of their own nothing of them is lost.
      if (!first.entry(0, 1).equals(entry.withLinks(0, 1))) {
        return new Inode(entry);
      }
      first.share();
      return first;
    }
  }
}
