package io.lamina.client.tree;

import io.lamina.cvmfs.CvmfsException;
import io.lamina.cvmfs.PathHash;
import io.lamina.cvmfs.RepositoryPath;
import io.lamina.cvmfs.catalog.CatalogEntry;
import io.lamina.cvmfs.catalog.CatalogFlags;
import io.lamina.cvmfs.catalog.CatalogProperties;
import io.lamina.cvmfs.catalog.CatalogReader;
import io.lamina.cvmfs.catalog.CatalogRow;
import io.lamina.cvmfs.catalog.NestedCatalog;
import io.lamina.cvmfs.reader.InodeNumber;
import io.lamina.cvmfs.reader.LinkTarget;
import io.lamina.cvmfs.signing.Manifest;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;

/**
 * One revision of a repository as a tree. A nested catalog is loaded when a path enters it, and
 * every directory remembers its catalog, so that a look-up is one question to one catalog.
 *
 * <p>Methods throw {@link CvmfsException} where a catalog is damaged or cannot be had. Immutable;
 * thread-safe.
 */
public final class Revision {
  private static final byte[] NO_TARGET = {};

  private final Manifest manifest;
  private final NestedCatalog rootCatalog;
  private final ObjectSource objects;
  private final CatalogPool pool;
  private final Map<String, String> variables;
  private final boolean translatesMarks;

  /**
   * @param variables for symbolic links
   * @param translatesMarks whether files that layers' archives mark removals with are shown as what
   *     overlays take for such
   */
  public Revision(
      Manifest manifest,
      ObjectSource objects,
      CatalogPool pool,
      Map<String, String> variables,
      boolean translatesMarks) {
    this.manifest = manifest;
    this.rootCatalog =
        new NestedCatalog(
            RepositoryPath.ROOT, manifest.rootCatalog(), manifest.rootCatalogSizeBytes());
    this.objects = objects;
    this.pool = pool;
    this.variables = variables;
    this.translatesMarks = translatesMarks;
  }

  public Manifest manifest() {
    return manifest;
  }

  public long number() {
    return manifest.revision();
  }

  public NestedCatalog rootCatalog() {
    return rootCatalog;
  }

  /** How long the root catalog says that clients may go on without asking. */
  public Duration timeToLive() {
    return in(
        rootCatalog,
        catalog -> {
          String text = catalog.properties().get("TTL");
          try {
            return text == null
                ? CatalogProperties.DEFAULT_TIME_TO_LIVE
                : Duration.ofSeconds(Long.parseLong(text));
          } catch (NumberFormatException e) {
            throw new CvmfsException.Corrupt("the root catalog's TTL is no number: " + text, e);
          }
        });
  }

  /** What a catalog counts, as it says. */
  public Map<String, Long> counters(NestedCatalog of) {
    return in(of, CatalogReader::statistics);
  }

  public Entry root() {
    return in(
        rootCatalog,
        catalog -> {
          CatalogRow row =
              catalog
                  .lookup(RepositoryPath.ROOT)
                  .orElseThrow(() -> new CvmfsException.Corrupt("the root catalog has no root"));
          Entry root = entry(catalog, rootCatalog, RepositoryPath.ROOT, row);
          if (root.listing().isEmpty()) {
            throw new CvmfsException.Corrupt("the repository's root is no directory");
          }
          return root;
        });
  }

  /**
   * The entry of a directory with this name.
   *
   * @param directory an entry of this revision; of any other type, nothing is in it
   * @throws CvmfsException.Rejected if no entry can have such a name
   */
  public Optional<Entry> find(Entry directory, byte[] name) {
    Optional<Entry> stored = stored(directory, name);
    if (!translatesMarks) {
      return stored;
    }
    return stored.isPresent()
        ? stored.filter(entry -> !LayerMarks.isMark(entry))
        : markOf(directory, name)
            .flatMap(mark -> LayerMarks.removed(directory.path(), mark))
            .filter(removed -> removed.path().equals(directory.path().resolve(name)));
  }

  private Optional<Entry> markOf(Entry directory, byte[] name) {
    return LayerMarks.removing(name)
        .flatMap(mark -> stored(directory, mark))
        .filter(LayerMarks::isMark);
  }

  /**
   * Whether a layer says with the names of its archive that nothing of the layers below shows in
   * this directory; never for trees in which such names mean nothing.
   */
  public boolean isMarkedOpaque(Entry directory) {
    if (!translatesMarks || directory.listing().isEmpty() || directory.path().isRoot()) {
      return false;
    }
    return stored(directory, LayerMarks.OPAQUE_NAME).filter(LayerMarks::isMark).isPresent()
        || resolve(directory.path().parent())
            .flatMap(parent -> markOf(parent, directory.path().name()))
            .isPresent();
  }

  private Optional<Entry> stored(Entry directory, byte[] name) {
    RepositoryPath path = directory.path().resolve(name);
    return directory
        .listing()
        .flatMap(
            listing ->
                in(
                    listing,
                    catalog ->
                        catalog
                            .lookup(path)
                            .filter(row -> row.parent().equals(directory.path().hash()))
                            .map(row -> entry(catalog, listing, path, row))));
  }

  /** The entries of a directory in the catalog's order, without hidden ones. */
  public List<Entry> list(Entry directory) {
    if (directory.listing().isEmpty()) {
      throw new CvmfsException.Rejected("not a directory: " + directory.path());
    }
    NestedCatalog listing = directory.listing().get();
    PathHash hash = directory.path().hash();
    return in(
        listing,
        catalog -> {
          List<Entry> entries = new ArrayList<>();
          for (CatalogRow row : catalog.list(hash)) {
            Entry entry = entry(catalog, listing, childPath(directory.path(), row), row);
            if (!entry.isHidden()) {
              entries.add(entry);
            }
          }
          return translatesMarks ? LayerMarks.translated(directory.path(), entries) : entries;
        });
  }

  /** The entry at a path; a symbolic link itself. */
  public Optional<Entry> resolve(RepositoryPath path) {
    if (path.isRoot()) {
      return Optional.of(root());
    }
    return resolve(path.parent()).flatMap(parent -> find(parent, path.name()));
  }

  private <T> T in(NestedCatalog catalog, Function<CatalogReader, T> reading) {
    return pool.read(objects, catalog, reading);
  }

  private static RepositoryPath childPath(RepositoryPath directory, CatalogRow row) {
    byte[] name = row.name();
    try {
      RepositoryPath path = directory.resolve(name == null ? NO_TARGET : name);
      if (path.hash().equals(row.path())) {
        return path;
      }
    } catch (CvmfsException.Rejected e) {
      throw new CvmfsException.Corrupt("an entry of " + directory + " has a bad name", e);
    }
    throw new CvmfsException.Corrupt(
        "the entry '" + row.displayName() + "' of " + directory + " is filed under another path");
  }

  private Entry entry(
      CatalogReader catalog, NestedCatalog holder, RepositoryPath path, CatalogRow row) {
    CatalogEntry entry = catalog.entry(row);
    return new Entry(
        path,
        entry,
        InodeNumber.of(holder.path(), path, entry),
        entry.isSymlink() ? LinkTarget.expand(entry.symlinkTarget(), variables) : NO_TARGET,
        row.isHidden(),
        (row.flags() & CatalogFlags.EXTERNAL) != 0,
        entry.isDirectory() ? Optional.of(listing(catalog, holder, path, row)) : Optional.empty());
  }

  /** Where a directory's entries are: here, or in the catalog that hangs at it. */
  private static NestedCatalog listing(
      CatalogReader catalog, NestedCatalog holder, RepositoryPath path, CatalogRow row) {
    if (!row.isNestedMountpoint()) {
      return holder;
    }
    return catalog
        .nestedAt(path)
        .orElseThrow(
            () -> new CvmfsException.Corrupt("no nested catalog is registered at " + path));
  }
}
