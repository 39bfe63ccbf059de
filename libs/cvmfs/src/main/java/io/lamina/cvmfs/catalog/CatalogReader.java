package io.lamina.cvmfs.catalog;

import io.lamina.cvmfs.ContentHash;
import io.lamina.cvmfs.CvmfsException;
import io.lamina.cvmfs.HashAlgorithm;
import io.lamina.cvmfs.PathHash;
import io.lamina.cvmfs.RepositoryPath;
import io.lamina.cvmfs.compression.CompressionAlgorithm;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Reads one catalog. Its tables and versions are checked when it is opened, its rows when they
 * become {@linkplain #entry entries}.
 *
 * <p>Every method throws {@link CvmfsException.Corrupt} where the database is damaged. Not
 * thread-safe.
 *
 * <p>Source: docs/format/catalogs.md.
 */
public final class CatalogReader implements AutoCloseable {
  /** Most entries that {@link #list} returns, and most chunks of one file. */
  public static final int MAX_LISTED = 2_000_000;

  /** Schema revision from which on a catalog must have all 24 counters. */
  public static final int FIRST_REVISION_WITH_ALL_COUNTERS = 5;

  private static final double SCHEMA_TOLERANCE = 0.0005;
  private static final int FIRST_REVISION_WITH_XATTRS = 2;
  private static final int FIRST_REVISION_WITH_NANOS = 7;

  private final CatalogDatabase database;
  private final Map<String, String> properties;
  private final String rowColumns;

  private CatalogReader(CatalogDatabase database) {
    this.database = database;
    Map<String, Set<String>> columns = database.columnsByTable();
    requireColumns(columns, "properties", Set.of("key", "value"));
    this.properties = Collections.unmodifiableMap(readProperties());
    database.label("'" + properties.getOrDefault(CatalogSchema.KEY_ROOT_PREFIX, "/") + "'");
    requireSchema();
    this.rowColumns = rowColumns();
    requireColumns(columns, "catalog", Set.copyOf(CatalogSchema.CATALOG_COLUMNS.subList(0, 9)));
    requireColumns(columns, "chunks", Set.of("md5path_1", "md5path_2", "offset", "size", "hash"));
    requireColumns(columns, "nested_catalogs", Set.of("path", "sha1", "size"));
    requireColumns(columns, "statistics", Set.of("counter", "value"));
  }

  /**
   * Opens a decompressed catalog; the array is copied.
   *
   * @throws CvmfsException.Rejected if its schema is of another version
   */
  public static CatalogReader open(byte[] database) {
    return open(CatalogDatabase.inMemory(database));
  }

  /** As {@link #open(byte[])}, of a file that does not change meanwhile and is not copied. */
  public static CatalogReader open(Path file) {
    return open(CatalogDatabase.ofFile(file));
  }

  /** Closes the database if it turns out not to be a catalog. */
  static CatalogReader open(CatalogDatabase database) {
    try {
      return new CatalogReader(database);
    } catch (RuntimeException e) {
      database.close();
      throw e;
    }
  }

  private void requireColumns(
      Map<String, Set<String>> columns, String table, Set<String> required) {
    Set<String> present = columns.getOrDefault(table, Set.of());
    for (String column : required) {
      if (!present.contains(column)) {
        throw new CvmfsException.Corrupt(
            "not a catalog: table '" + table + "' has no column '" + column + "'");
      }
    }
  }

  private void requireSchema() {
    String text = properties.get(CatalogSchema.KEY_SCHEMA);
    double version;
    try {
      version = Double.parseDouble(text == null ? "" : text);
    } catch (NumberFormatException e) {
      throw new CvmfsException.Corrupt(
          "catalog " + database.label() + " has no schema number: " + text, e);
    }
    if (Math.abs(version - Double.parseDouble(CatalogSchema.VERSION)) > SCHEMA_TOLERANCE) {
      throw new CvmfsException.Rejected(
          "catalog "
              + database.label()
              + " has schema "
              + text
              + "; only "
              + CatalogSchema.VERSION
              + " can be read");
    }
  }

  private String rowColumns() {
    int revision = schemaRevision();
    String mtimeNanos = revision >= FIRST_REVISION_WITH_NANOS ? "mtimens" : "NULL";
    String xattr = revision >= FIRST_REVISION_WITH_XATTRS ? "xattr" : "NULL";
    return "SELECT rowid, md5path_1, md5path_2, parent_1, parent_2, hardlinks, hash, size, mode,"
        + " mtime, "
        + mtimeNanos
        + ", flags, name, symlink, uid, gid, "
        + xattr
        + " FROM catalog ";
  }

  private Map<String, String> readProperties() {
    Map<String, String> result = new TreeMap<>();
    database.query(
        "SELECT key, value FROM properties",
        row -> {
          String value = row.getString(2);
          result.put(String.valueOf(row.getString(1)), value == null ? "" : value);
        });
    return result;
  }

  /** All properties as they are stored, sorted by key. */
  public Map<String, String> properties() {
    return properties;
  }

  /** 0 where the catalog does not say. */
  public int schemaRevision() {
    return (int) number(CatalogSchema.KEY_SCHEMA_REVISION);
  }

  /** The catalog's own revision; 0 where it does not say. */
  public long revision() {
    return number(CatalogSchema.KEY_REVISION);
  }

  /** When it was written, seconds since the epoch; 0 where it does not say. */
  public long lastModifiedSeconds() {
    return number(CatalogSchema.KEY_LAST_MODIFIED);
  }

  private long number(String key) {
    String text = properties.get(key);
    try {
      return text == null ? 0 : Long.parseLong(text);
    } catch (NumberFormatException e) {
      throw new CvmfsException.Corrupt(
          "property '" + key + "' of catalog " + database.label() + " is no number: " + text, e);
    }
  }

  /** Where the catalog says that it hangs; the root if it does not say. */
  public RepositoryPath mount() {
    String prefix = properties.get(CatalogSchema.KEY_ROOT_PREFIX);
    try {
      return prefix == null ? RepositoryPath.ROOT : RepositoryPath.of(prefix);
    } catch (CvmfsException.Rejected e) {
      throw new CvmfsException.Corrupt(
          "property '" + CatalogSchema.KEY_ROOT_PREFIX + "' is no path: " + prefix, e);
    }
  }

  /** The catalog that this one follows; empty for a first one. */
  public Optional<ContentHash> previousRevision() {
    String text = properties.getOrDefault(CatalogSchema.KEY_PREVIOUS_REVISION, "");
    if (text.isEmpty() || text.startsWith(CatalogSchema.NO_PREVIOUS_REVISION)) {
      return Optional.empty();
    }
    return Optional.of(parseHash(text, CatalogSchema.KEY_PREVIOUS_REVISION));
  }

  private ContentHash parseHash(@Nullable String text, String where) {
    try {
      return ContentHash.parse(text == null ? "" : text);
    } catch (CvmfsException.Rejected e) {
      throw new CvmfsException.Corrupt(
          "catalog " + database.label() + " names no hash in " + where + ": " + text, e);
    }
  }

  /** All rows of the statistics table, sorted by name. */
  public Map<String, Long> statistics() {
    Map<String, Long> result = new TreeMap<>();
    database.query(
        "SELECT counter, value FROM statistics",
        row -> result.put(String.valueOf(row.getString(1)), row.getLong(2)));
    return result;
  }

  /** What the catalog's own rows count, as it says. */
  public Counters self() {
    return self(statistics());
  }

  /** What the catalogs below count, as it says. */
  public Counters subtree() {
    return subtree(statistics());
  }

  /** What this catalog and all below it count, as it says. */
  public Counters total() {
    Map<String, Long> values = statistics();
    return self(values).plus(subtree(values));
  }

  Counters self(Map<String, Long> statistics) {
    return CounterName.collect(name -> counter(statistics, name.self()));
  }

  Counters subtree(Map<String, Long> statistics) {
    return CounterName.collect(name -> counter(statistics, name.subtree()));
  }

  private long counter(Map<String, Long> values, String name) {
    Long value = values.get(name);
    if (value == null && schemaRevision() >= FIRST_REVISION_WITH_ALL_COUNTERS) {
      throw new CvmfsException.Corrupt(
          "catalog " + database.label() + " lacks the counter '" + name + "'");
    }
    return value == null ? 0 : value;
  }

  /** The row of a path in this catalog, its root's and mountpoints' included. */
  public Optional<CatalogRow> lookup(RepositoryPath path) {
    return lookup(path.hash());
  }

  /** The row of a path in this catalog. */
  public Optional<CatalogRow> lookup(PathHash path) {
    List<CatalogRow> found = new ArrayList<>(1);
    database.query(
        rowColumns + "WHERE md5path_1 = ? AND md5path_2 = ?",
        row -> found.add(readRow(row)),
        path.first(),
        path.second());
    return found.stream().findFirst();
  }

  /**
   * The entries of a directory that lie in this catalog, in the order in which they were added; of
   * a nested catalog's mountpoint none.
   *
   * @throws CvmfsException.Rejected if there are more than {@link #MAX_LISTED}
   */
  public List<CatalogRow> list(RepositoryPath directory) {
    return list(directory.hash());
  }

  /** As {@link #list(RepositoryPath)}, by the directory's hash. */
  public List<CatalogRow> list(PathHash directory) {
    List<CatalogRow> rows = new ArrayList<>();
    forEachChild(
        directory,
        row -> {
          requireListable(rows.size(), "entries of one directory");
          rows.add(row);
        });
    return rows;
  }

  /** Hands over the entries of a directory one by one; the sink may ask for {@link #entry} only. */
  public void forEachChild(PathHash directory, Consumer<CatalogRow> sink) {
    database.query(
        rowColumns + "WHERE parent_1 = ? AND parent_2 = ? ORDER BY rowid",
        row -> sink.accept(readRow(row)),
        directory.first(),
        directory.second());
  }

  /** Hands over every row in the order of rowids; the sink may ask for {@link #entry} only. */
  public void forEachRow(Consumer<CatalogRow> sink) {
    database.query(rowColumns + "ORDER BY rowid", row -> sink.accept(readRow(row)));
  }

  /**
   * Hands over the digest of every object that a row or a chunk names, as it is stored, with
   * repetitions; of catalogs none. For whoever must not overlook one, whatever else is wrong.
   */
  public void forEachDigest(Consumer<byte[]> sink) {
    for (String table : List.of("catalog", "chunks")) {
      database.query(
          "SELECT hash FROM " + table + " WHERE hash IS NOT NULL",
          row -> sink.accept(row.getBytes(1)));
    }
  }

  /**
   * How many rows the catalog has, whether a walk reaches them or not; counting stops at {@code
   * max}, since a hostile database can show the same pages over and over.
   */
  public long rowCount(long max) {
    long[] count = {0};
    database.query(
        "SELECT count(*) FROM (SELECT 1 FROM catalog LIMIT ?)",
        row -> count[0] = row.getLong(1),
        max);
    return count[0];
  }

  private void requireListable(int count, String what) {
    if (count >= MAX_LISTED) {
      throw new CvmfsException.Rejected(
          "more than " + MAX_LISTED + " " + what + " in catalog " + database.label());
    }
  }

  private static CatalogRow readRow(ResultSet row) throws SQLException {
    int mtimeNanos = row.getInt(11);
    boolean withoutNanos = row.wasNull();
    return new CatalogRow(
        row.getLong(1),
        new PathHash(row.getLong(2), row.getLong(3)),
        new PathHash(row.getLong(4), row.getLong(5)),
        row.getLong(6),
        row.getBytes(7),
        row.getLong(8),
        row.getInt(9),
        row.getLong(10),
        withoutNanos ? null : mtimeNanos,
        row.getInt(12),
        row.getBytes(13),
        row.getBytes(14),
        row.getLong(15),
        row.getLong(16),
        row.getBytes(17));
  }

  /**
   * The row as a checked entry, with its chunks.
   *
   * @throws CvmfsException.Corrupt if its columns contradict each other
   */
  public CatalogEntry entry(CatalogRow row) {
    HashAlgorithm algorithm =
        CatalogFlags.hashAlgorithm(row.flags())
            .orElseThrow(() -> broken(row, "an unknown hash algorithm"));
    CompressionAlgorithm compression =
        CatalogFlags.compression(row.flags())
            .orElseThrow(() -> broken(row, "an unknown compression"));
    if (row.symlink() == null || row.name() == null) {
      throw broken(row, "no name or no link target");
    }
    try {
      byte[] digest = row.hash();
      return new CatalogEntry(
          row.mode(),
          row.uid(),
          row.gid(),
          row.sizeBytes(),
          row.mtimeSeconds(),
          row.mtimeNanos() == null ? -1 : row.mtimeNanos(),
          row.hardlinkGroup(),
          row.linkCount(),
          digest == null ? null : ContentHash.of(algorithm, digest),
          compression,
          row.symlink(),
          XattrCodec.decode(row.xattrBlob()),
          row.isChunked() ? chunks(row.path(), algorithm) : List.of());
    } catch (CvmfsException.Rejected | CvmfsException.Corrupt e) {
      throw new CvmfsException.Corrupt(
          "entry '"
              + row.displayName()
              + "' of catalog "
              + database.label()
              + ": "
              + e.getMessage(),
          e);
    }
  }

  private CvmfsException.Corrupt broken(CatalogRow row, String problem) {
    return new CvmfsException.Corrupt(
        "entry '" + row.displayName() + "' of catalog " + database.label() + " has " + problem);
  }

  /** The chunks of a file, in order of their offsets; unchecked. */
  public List<Chunk> chunks(PathHash path, HashAlgorithm algorithm) {
    List<Chunk> chunks = new ArrayList<>();
    database.query(
        "SELECT offset, size, hash FROM chunks WHERE md5path_1 = ? AND md5path_2 = ?"
            + " ORDER BY offset, size",
        row -> {
          requireListable(chunks.size(), "chunks of one file");
          byte[] digest = row.getBytes(3);
          chunks.add(
              new Chunk(
                  row.getLong(1),
                  row.getLong(2),
                  ContentHash.of(algorithm, digest == null ? new byte[0] : digest)));
        },
        path.first(),
        path.second());
    return chunks;
  }

  /** The nested catalogs that hang in this one, sorted by path. */
  public List<NestedCatalog> nestedCatalogs() {
    return readNested("SELECT path, sha1, size FROM nested_catalogs ORDER BY path");
  }

  /** Catalogs of older revisions that the original's snapshot directory shows. */
  public List<NestedCatalog> bindMountpoints() {
    return readNested("SELECT path, sha1, size FROM bind_mountpoints ORDER BY path");
  }

  /** The nested catalog that hangs at exactly this path. */
  public Optional<NestedCatalog> nestedAt(RepositoryPath path) {
    return readNested(
            "SELECT path, sha1, size FROM nested_catalogs WHERE path = ?",
            new String(path.bytes(), StandardCharsets.UTF_8))
        .stream()
        .findFirst();
  }

  /** The nested catalogs, hanging in this one, at the path and below it; sorted by path. */
  List<NestedCatalog> nestedAtOrBelow(RepositoryPath path) {
    // '0' follows '/': the range holds all that starts with the path and a slash.
    return readNested(
        "SELECT path, sha1, size FROM nested_catalogs WHERE path = ?1"
            + " OR (path > ?1 || '/' AND path < ?1 || '0') ORDER BY path",
        new String(path.bytes(), StandardCharsets.UTF_8));
  }

  /** The chunks of a row, whatever it is. */
  List<Chunk> chunksOf(CatalogRow row) {
    return chunks(
        row.path(),
        CatalogFlags.hashAlgorithm(row.flags())
            .orElseThrow(() -> broken(row, "an unknown hash algorithm")));
  }

  /** The nested catalog, hanging in this one, in which the path lies or hangs. */
  public Optional<NestedCatalog> nestedAbove(RepositoryPath path) {
    RepositoryPath mount = mount();
    for (RepositoryPath at = path; !at.equals(mount) && !at.isRoot(); at = at.parent()) {
      Optional<NestedCatalog> nested = nestedAt(at);
      if (nested.isPresent()) {
        return nested;
      }
    }
    return Optional.empty();
  }

  private List<NestedCatalog> readNested(String sql, Object... parameters) {
    List<NestedCatalog> result = new ArrayList<>();
    database.query(
        sql,
        row -> {
          requireListable(result.size(), "nested catalogs");
          byte[] path = row.getBytes(1);
          try {
            result.add(
                new NestedCatalog(
                    RepositoryPath.ofBytes(path == null ? new byte[0] : path),
                    parseHash(row.getString(2), "nested_catalogs"),
                    row.getLong(3)));
          } catch (CvmfsException.Rejected e) {
            throw new CvmfsException.Corrupt(
                "a nested catalog of catalog " + database.label() + ": " + e.getMessage(), e);
          }
        },
        parameters);
    return result;
  }

  @Override
  public void close() {
    database.close();
  }
}
