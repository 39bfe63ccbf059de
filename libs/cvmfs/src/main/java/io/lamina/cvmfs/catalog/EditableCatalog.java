package io.lamina.cvmfs.catalog;

import io.lamina.cvmfs.ContentHash;
import io.lamina.cvmfs.CvmfsException;
import io.lamina.cvmfs.HashAlgorithm;
import io.lamina.cvmfs.PathHash;
import io.lamina.cvmfs.RepositoryPath;
import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * A catalog inside a transaction: opened from its bytes, changed in memory, sealed into new bytes.
 *
 * <p>Link counts and counters follow every change. A change costs the same in a catalog of any
 * size; sealing costs a copy of the bytes, and a rewrite only after a quarter of the rows has gone.
 * The same changes in the same order give the same bytes.
 *
 * <p>Changes are idempotent: one whose result is already there does nothing and returns false.
 * Transactions seal leaves first: {@link #seal}, store the object, then {@link #adopt} the result
 * in the catalog above, which also takes over the link count of the nested root.
 *
 * <p>Where a nested catalog is replaced or removed, the caller is asked for the counters (those of
 * the catalogs below included) of the <em>object</em> that this catalog still names, whatever has
 * been done to it since; an {@code EditableCatalog} of it has to be dropped.
 *
 * <p>Not thread-safe. After a failure the catalog must be dropped.
 *
 * <p>Source: docs/format/catalogs.md, "Grafting".
 */
public final class EditableCatalog implements AutoCloseable {
  /** One row in so many may be missing before a catalog is written afresh. */
  private static final int MAX_GAP_FRACTION = 4;

  private static final int HEADER_PAGES = 28;
  private static final int HEADER_FREE_PAGES = 36;

  private final CatalogDatabase database;
  private final CatalogReader reader;
  private final CatalogTable table;
  private final RepositoryPath mount;
  private final @Nullable ContentHash storedAs;
  private final Map<String, Long> storedCounters;
  private final Counters totalBefore;
  private final Set<RepositoryPath> unsealed = new TreeSet<>();
  private Counters self;
  private Counters subtree;
  private boolean removedRows;
  private boolean changed;

  private EditableCatalog(
      CatalogDatabase database, CatalogReader reader, @Nullable ContentHash storedAs) {
    this.database = database;
    this.reader = reader;
    this.storedAs = storedAs;
    this.mount = reader.mount();
    this.storedCounters = reader.statistics();
    this.self = reader.self(storedCounters);
    this.subtree = reader.subtree(storedCounters);
    this.totalBefore = storedAs == null ? Counters.ZERO : self.plus(subtree);
    this.changed = storedAs == null;
    this.table = new CatalogTable(database);
    database.execute("BEGIN");
  }

  /**
   * Opens a stored catalog.
   *
   * @param storedAs its object, which its successor names
   */
  public static EditableCatalog open(byte[] database, ContentHash storedAs) {
    return openAs(database, storedAs);
  }

  /**
   * A new nested catalog that holds its root directory and the marker; its object is {@linkplain
   * CatalogMarker#in empty}.
   */
  public static EditableCatalog createNested(
      RepositoryPath mount, CatalogEntry root, HashAlgorithm algorithm) {
    CatalogWriter writer =
        new CatalogWriter(
            CatalogProperties.firstNested(mount, root.mtimeSeconds()), root.withLinks(0, 2));
    writer.add(mount.resolve(CatalogMarker.NAME), CatalogMarker.in(root, algorithm));
    return openAs(writer.finish(), null);
  }

  /** The root catalog of a new repository, revision 0. */
  public static EditableCatalog createRoot(CatalogEntry root) {
    CatalogWriter writer =
        new CatalogWriter(CatalogProperties.firstRoot(root.mtimeSeconds()), root.withLinks(0, 2));
    return openAs(writer.finish(), null);
  }

  private static EditableCatalog openAs(byte[] bytes, @Nullable ContentHash storedAs) {
    CatalogDatabase database = CatalogDatabase.inMemory(bytes);
    CatalogReader reader = CatalogReader.open(database);
    try {
      return new EditableCatalog(database, reader, storedAs);
    } catch (RuntimeException e) {
      database.close();
      throw e;
    }
  }

  public RepositoryPath mount() {
    return mount;
  }

  /** Whether {@link #seal} gives anything else than what was opened. */
  public boolean isChanged() {
    return changed;
  }

  /** The catalog's own directory. */
  public CatalogEntry root() {
    return reader.entry(requireRow(mount));
  }

  /** The entry of a path in this catalog, mountpoints of nested catalogs included. */
  public Optional<CatalogEntry> find(RepositoryPath path) {
    return reader.lookup(path).map(reader::entry);
  }

  /** The rows of a directory in this catalog; of a nested catalog's mountpoint none. */
  public List<CatalogRow> list(RepositoryPath directory) {
    return reader.list(directory);
  }

  /** The nested catalog, hanging in this one, in which the path lies or hangs. */
  public Optional<NestedCatalog> nestedAbove(RepositoryPath path) {
    return reader.nestedAbove(path);
  }

  /** Rows of this catalog, its root's included. */
  public long rows() {
    return self.rows();
  }

  /** What this catalog and all below it count now. */
  public Counters total() {
    return self.plus(subtree);
  }

  /**
   * Makes the directory and those above it that this catalog lacks.
   *
   * @param template entry of each new directory
   * @return whether any was made
   * @throws CvmfsException.Rejected if something else than a directory of this catalog is in the
   *     way
   */
  public boolean makeDirectories(RepositoryPath path, CatalogEntry template) {
    Deque<RepositoryPath> missing = new ArrayDeque<>();
    RepositoryPath at = path;
    while (reader.lookup(at).isEmpty()) {
      requireBelowMount(at);
      missing.push(at);
      at = at.parent();
    }
    requireOwnDirectory(at);
    for (RepositoryPath directory : missing) {
      insert(directory, template.withLinks(0, 2), CatalogFlags.of(template));
    }
    return !missing.isEmpty();
  }

  /**
   * Inserts the entry or replaces what is there; a directory that takes a directory's place keeps
   * its entries. The link count is kept up here, the given one does not matter; the entry becomes a
   * file of its own.
   *
   * @param totals counters of nested catalogs that are replaced
   * @return whether anything changed
   * @throws CvmfsException.Rejected if the parent is no directory of this catalog, or the path is a
   *     nested catalog's and the entry a directory
   */
  public boolean put(
      RepositoryPath path, CatalogEntry entry, Function<NestedCatalog, Counters> totals) {
    if (!path.equals(mount)) {
      requireParent(path);
    }
    Optional<CatalogRow> before = reader.lookup(path);
    if (before.isPresent() && before.get().isDirectory() == entry.isDirectory()) {
      return replace(path, before.get(), entry);
    }
    if (path.equals(mount)) {
      throw new CvmfsException.Rejected("the root of a catalog stays a directory: " + mount);
    }
    remove(path, totals);
    CatalogEntry single = entry.withLinks(0, entry.isDirectory() ? 2 : 1);
    insert(path, single, CatalogFlags.of(single));
    return true;
  }

  private boolean replace(RepositoryPath path, CatalogRow row, CatalogEntry entry) {
    if (row.isNestedMountpoint()) {
      throw new CvmfsException.Rejected(
          path + " is a nested catalog; change its directory in that catalog");
    }
    CatalogEntry before = reader.entry(row);
    if (entry.isDirectory()) {
      CatalogEntry after = entry.withLinks(0, before.linkCount());
      if (before.equals(after)) {
        return false;
      }
      overwrite(row, after, row.flags());
      return true;
    }
    CatalogEntry after = entry.withLinks(0, 1);
    if (before.withLinks(0, 1).equals(after)) {
      return false;
    }
    if (row.hardlinkGroup() != 0) {
      table.shrinkGroup(row);
    }
    overwrite(row, after, CatalogFlags.of(after));
    return true;
  }

  /**
   * Removes the entry and, of a directory, all below it; of a nested catalog its mountpoint.
   *
   * @param totals counters of nested catalogs that go with it
   * @return whether there was anything
   */
  public boolean remove(RepositoryPath path, Function<NestedCatalog, Counters> totals) {
    requireBelowMount(path);
    Optional<CatalogRow> found = reader.lookup(path);
    if (found.isEmpty()) {
      return false;
    }
    CatalogRow row = found.get();
    dropNestedAtOrBelow(path, totals);
    if (row.isDirectory()) {
      for (CatalogRow below : rowsBelow(row)) {
        delete(below);
      }
      table.addLinks(row.parent(), -1);
    } else if (row.hardlinkGroup() != 0) {
      table.shrinkGroup(row);
    }
    delete(row);
    return true;
  }

  /**
   * Hangs in a finished catalog; what was at its path before goes.
   *
   * @param totals counters of nested catalogs that are replaced
   * @return whether anything changed
   * @throws CvmfsException.Rejected if the parent is no directory of this catalog
   */
  public boolean attach(Graft graft, Function<NestedCatalog, Counters> totals) {
    RepositoryPath path = graft.path();
    requireBelowMount(path);
    Optional<CatalogRow> before = reader.lookup(path);
    int flags = CatalogFlags.of(graft.root()) | CatalogFlags.NESTED_MOUNTPOINT;
    if (before.isPresent() && before.get().isNestedMountpoint()) {
      NestedCatalog old = requireNested(path);
      if (old.hash().equals(graft.catalog()) && reader.entry(before.get()).equals(graft.root())) {
        return false;
      }
      subtree = subtree.minus(knownTotal(old, totals)).plus(graft.total());
      nameNested(path, graft.catalog(), graft.catalogSizeBytes());
      overwrite(before.get(), graft.root(), flags);
      return true;
    }
    if (before.isPresent()) {
      remove(path, totals);
    }
    requireParent(path);
    insert(path, graft.root(), flags);
    database.update(
        "INSERT INTO nested_catalogs (path, sha1, size) VALUES (?, ?, ?)",
        text(path),
        graft.catalog().toString(),
        graft.catalogSizeBytes());
    self = self.plus(Counters.ONE_NESTED);
    subtree = subtree.plus(graft.total());
    return true;
  }

  /**
   * Takes a sealed catalog that hangs here over: its new object, its counters, its directory.
   *
   * @param object of the sealed catalog's compressed database
   */
  public void adopt(SealedCatalog child, ContentHash object) {
    CatalogRow row = requireRow(child.mount());
    if (!row.isNestedMountpoint()) {
      throw new IllegalStateException("no catalog hangs at " + child.mount());
    }
    nameNested(child.mount(), object, child.database().length);
    subtree = subtree.plus(child.change());
    unsealed.remove(child.mount());
    if (!reader.entry(row).equals(child.root())) {
      overwrite(row, child.root(), row.flags());
    }
    changed = true;
  }

  /**
   * Makes a directory of this catalog a nested catalog, moving all rows below it. The new catalog
   * must be sealed and {@linkplain #adopt adopted} before this one is sealed.
   *
   * @param algorithm of the marker's object
   * @param totals counters of nested catalogs that move along
   * @throws CvmfsException.Rejected if the path is no directory of this catalog, or its root
   */
  public EditableCatalog split(
      RepositoryPath path, HashAlgorithm algorithm, Function<NestedCatalog, Counters> totals) {
    requireBelowMount(path);
    requireOwnDirectory(path);
    if (unsealed.stream().anyMatch(pending -> pending.startsWith(path))) {
      throw new IllegalStateException("not adopted yet: " + unsealed);
    }
    CatalogRow row = requireRow(path);
    CatalogEntry root = reader.entry(row);
    CatalogWriter writer =
        new CatalogWriter(CatalogProperties.firstNested(path, root.mtimeSeconds()), root);
    writer.add(path.resolve(CatalogMarker.NAME), CatalogMarker.in(root, algorithm));
    Map<NestedCatalog, Counters> moving = dropNestedAtOrBelow(path, totals);
    for (CatalogRow below : rowsBelow(row)) {
      writer.copy(below, below.isChunked() ? reader.chunksOf(below) : List.of());
      delete(below);
    }
    moving.forEach(writer::copyNested);
    overwrite(row, root, row.flags() | CatalogFlags.NESTED_MOUNTPOINT);
    nameNewNested(path);
    return openAs(writer.finish(), null);
  }

  private void nameNewNested(RepositoryPath path) {
    database.update(
        "INSERT INTO nested_catalogs (path, sha1, size) VALUES (?, ?, 0)",
        text(path),
        CatalogSchema.NO_PREVIOUS_REVISION);
    self = self.plus(Counters.ONE_NESTED);
    unsealed.add(path);
  }

  /**
   * Ends the changes and gives the new bytes; nothing can be changed after.
   *
   * @param lastModifiedSeconds the transaction's time
   * @throws IllegalStateException if a catalog that was split off has not been adopted
   */
  public SealedCatalog seal(long lastModifiedSeconds) {
    if (!unsealed.isEmpty()) {
      throw new IllegalStateException("not adopted yet: " + unsealed);
    }
    long revision = reader.revision() + (storedAs == null ? 0 : 1);
    writeProperty(CatalogSchema.KEY_REVISION, Long.toString(revision));
    writeProperty(CatalogSchema.KEY_LAST_MODIFIED, Long.toString(lastModifiedSeconds));
    if (storedAs != null) {
      writeProperty(CatalogSchema.KEY_PREVIOUS_REVISION, storedAs.toString());
    }
    writeCounters();
    CatalogEntry root = root();
    database.execute("COMMIT");
    byte[] bytes = database.serialize();
    DatabaseFile.stampHeader(bytes);
    if (removedRows && isSparse(bytes)) {
      bytes = rewrite();
    }
    return new SealedCatalog(mount, bytes, root, revision, total(), total().minus(totalBefore));
  }

  private boolean isSparse(byte[] bytes) {
    long rowIds = table.maxRowId();
    return (rowIds - self.rows()) * MAX_GAP_FRACTION > rowIds
        || (long) bigEndian(bytes, HEADER_FREE_PAGES) * MAX_GAP_FRACTION
            > bigEndian(bytes, HEADER_PAGES);
  }

  private static int bigEndian(byte[] bytes, int offset) {
    return (bytes[offset] & 0xff) << 24
        | (bytes[offset + 1] & 0xff) << 16
        | (bytes[offset + 2] & 0xff) << 8
        | bytes[offset + 3] & 0xff;
  }

  /** The same rows without gaps. */
  private byte[] rewrite() {
    Map<String, String> properties = new TreeMap<>();
    database.query(
        "SELECT key, value FROM properties",
        row -> properties.put(row.getString(1), row.getString(2)));
    CatalogWriter writer = new CatalogWriter(mount, properties);
    reader.forEachRow(row -> writer.copy(row, row.isChunked() ? reader.chunksOf(row) : List.of()));
    reader.nestedCatalogs().forEach(nested -> writer.copyNested(nested, Counters.ZERO));
    reader.bindMountpoints().forEach(writer::copyBindMountpoint);
    writer.countSubtree(subtree);
    return writer.finish();
  }

  private void writeProperty(String key, String value) {
    database.update("INSERT OR REPLACE INTO properties (key, value) VALUES (?, ?)", key, value);
  }

  private void writeCounters() {
    for (CounterName name : CounterName.values()) {
      writeCounter(name.self(), name.of(self));
      writeCounter(name.subtree(), name.of(subtree));
    }
  }

  private void writeCounter(String name, long value) {
    Long before = storedCounters.get(name);
    if (before == null || before != value) {
      if (value < 0) {
        throw new CvmfsException.Corrupt(
            "counter " + name + " of the catalog at " + mount + " falls to " + value);
      }
      database.update(
          "INSERT OR REPLACE INTO statistics (counter, value) VALUES (?, ?)", name, value);
    }
  }

  private void insert(RepositoryPath path, CatalogEntry entry, int flags) {
    table.insert(path, entry, flags);
    if (entry.isDirectory()) {
      table.addLinks(path.parentHash(), 1);
    }
    self = self.plus(Counters.of(entry));
    changed = true;
  }

  private void overwrite(CatalogRow row, CatalogEntry entry, int flags) {
    int chunks = table.deleteChunks(row);
    table.overwrite(row, entry, flags);
    self = self.minus(Counters.ofRow(row, chunks)).plus(Counters.of(entry));
    changed = true;
  }

  private void delete(CatalogRow row) {
    int chunks = table.deleteChunks(row);
    table.delete(row);
    self = self.minus(Counters.ofRow(row, chunks));
    removedRows = true;
    changed = true;
  }

  /** All rows of this catalog below a directory, level by level. */
  private List<CatalogRow> rowsBelow(CatalogRow directory) {
    List<CatalogRow> below = new ArrayList<>();
    Deque<PathHash> directories = new ArrayDeque<>();
    directories.add(directory.path());
    while (!directories.isEmpty()) {
      for (CatalogRow row : reader.list(directories.remove())) {
        below.add(row);
        if (below.size() > self.rows()) {
          throw new CvmfsException.Corrupt(
              "the directories of the catalog at " + mount + " form a circle");
        }
        if (row.isDirectory()) {
          directories.add(row.path());
        }
      }
    }
    return below;
  }

  private Map<NestedCatalog, Counters> dropNestedAtOrBelow(
      RepositoryPath path, Function<NestedCatalog, Counters> totals) {
    Map<NestedCatalog, Counters> dropped = new LinkedHashMap<>();
    for (NestedCatalog nested : reader.nestedAtOrBelow(path)) {
      Counters total = knownTotal(nested, totals);
      database.update("DELETE FROM nested_catalogs WHERE path = ?", text(nested.path()));
      self = self.minus(Counters.ONE_NESTED);
      subtree = subtree.minus(total);
      dropped.put(nested, total);
    }
    return dropped;
  }

  /** What {@link #subtree} holds of a nested catalog: nothing while it has not been adopted. */
  private Counters knownTotal(NestedCatalog nested, Function<NestedCatalog, Counters> totals) {
    return unsealed.remove(nested.path()) ? Counters.ZERO : totals.apply(nested);
  }

  private void nameNested(RepositoryPath path, ContentHash object, long sizeBytes) {
    int rows =
        database.update(
            "UPDATE nested_catalogs SET sha1 = ?, size = ? WHERE path = ?",
            object.toString(),
            sizeBytes,
            text(path));
    if (rows != 1) {
      throw unnamed(path);
    }
  }

  private NestedCatalog requireNested(RepositoryPath path) {
    return reader.nestedAt(path).orElseThrow(() -> unnamed(path));
  }

  private CvmfsException.Corrupt unnamed(RepositoryPath mountpoint) {
    return new CvmfsException.Corrupt(
        mountpoint
            + " is a mountpoint in the catalog at "
            + mount
            + ", which names no catalog for it");
  }

  private CatalogRow requireRow(RepositoryPath path) {
    return reader
        .lookup(path)
        .orElseThrow(
            () ->
                new CvmfsException.Corrupt("the catalog at " + mount + " has no row for " + path));
  }

  private void requireParent(RepositoryPath path) {
    requireBelowMount(path);
    requireOwnDirectory(path.parent());
  }

  private void requireOwnDirectory(RepositoryPath path) {
    Optional<CatalogRow> row = reader.lookup(path);
    if (row.isEmpty() || !row.get().isDirectory() || row.get().isNestedMountpoint()) {
      throw new CvmfsException.Rejected(
          path
              + (row.isEmpty()
                  ? " does not exist"
                  : row.get().isDirectory()
                      ? " is another catalog's directory"
                      : " is not a directory")
              + " in the catalog at "
              + mount);
    }
  }

  private void requireBelowMount(RepositoryPath path) {
    if (path.equals(mount) || !path.startsWith(mount)) {
      throw new CvmfsException.Rejected("not below the catalog at " + mount + ": " + path);
    }
  }

  private static String text(RepositoryPath path) {
    return new String(path.bytes(), StandardCharsets.UTF_8);
  }

  @Override
  public void close() {
    database.close();
  }
}
