package io.lamina.cvmfs.catalog;

import io.lamina.cvmfs.CvmfsException;
import io.lamina.cvmfs.PathHash;
import io.lamina.cvmfs.RepositoryPath;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * Writes one catalog from its entries: the bytes of a complete SQLite database. The same calls give
 * the same bytes, on every machine and with every SQLite.
 *
 * <p>The first entry is the catalog's own root. Entries keep the order in which they are added;
 * readers list a directory fastest when its entries follow each other. Memory: the database and
 * about 100 bytes an entry. Not thread-safe.
 *
 * <p>Source: docs/format/catalogs.md, "Tables".
 */
public final class CatalogWriter {
  private static final Comparator<Key> BY_HASH =
      Comparator.comparingLong(Key::first)
          .thenComparingLong(Key::second)
          .thenComparingLong(Key::rowId);

  private final RepositoryPath mount;
  private final Map<String, String> properties;
  private final DatabaseFile file = new DatabaseFile(CatalogSchema.PAGE_BYTES);
  private final TableTree rows = new TableTree(file);
  private final RecordWriter record = new RecordWriter();
  private final List<Key> byPath = new ArrayList<>();
  private final List<Key> byParent = new ArrayList<>();
  private final List<ChunkRow> chunks = new ArrayList<>();
  private final Map<RepositoryPath, NestedCatalog> nested = new TreeMap<>();
  private final Map<RepositoryPath, NestedCatalog> bindMountpoints = new TreeMap<>();
  private Counters self = Counters.ZERO;
  private Counters subtree = Counters.ZERO;
  private boolean finished;

  /**
   * Begins with the catalog's root row.
   *
   * @param root the directory at which the catalog hangs
   */
  public CatalogWriter(CatalogProperties properties, CatalogEntry root) {
    this(properties.mount(), texts(properties));
    if (!root.isDirectory()) {
      throw new CvmfsException.Rejected("the root of a catalog is not a directory: " + mount);
    }
    int nestedRoot = mount.isRoot() ? 0 : CatalogFlags.NESTED_ROOT;
    write(mount.hash(), mount.parentHash(), mount.name(), root, CatalogFlags.of(root) | nestedRoot);
  }

  /** Begins without a root row, which is the first to be {@linkplain #copy copied}. */
  CatalogWriter(RepositoryPath mount, Map<String, String> properties) {
    this.mount = mount;
    this.properties = new TreeMap<>(properties);
  }

  /** Adds an entry below the root; its path hash and its parent's must belong to its path. */
  public void add(PathHash path, PathHash parent, byte[] name, CatalogEntry entry) {
    if (name.length == 0 || name.length > RepositoryPath.MAX_NAME_BYTES) {
      throw new CvmfsException.Rejected(
          "an entry of the catalog at " + mount + " has a name of " + name.length + " bytes");
    }
    write(path, parent, name, entry, CatalogFlags.of(entry));
  }

  /** Adds an entry below the root. */
  public void add(RepositoryPath path, CatalogEntry entry) {
    requireBelowMount(path);
    add(path.hash(), path.parentHash(), path.name(), entry);
  }

  /**
   * Adds the row at which a finished catalog hangs, names that catalog, and counts its contents.
   */
  public void addNested(Graft graft) {
    RepositoryPath path = graft.path();
    requireBelowMount(path);
    if (!Utf8.isValid(path.bytes())) {
      throw new CvmfsException.Rejected("no catalog can hang at a path outside UTF-8: " + path);
    }
    write(
        path.hash(),
        path.parentHash(),
        path.name(),
        graft.root(),
        CatalogFlags.of(graft.root()) | CatalogFlags.NESTED_MOUNTPOINT);
    nested.put(path, new NestedCatalog(path, graft.catalog(), graft.catalogSizeBytes()));
    self = self.plus(Counters.ONE_NESTED);
    subtree = subtree.plus(graft.total());
  }

  /** Takes a stored row over as it is. */
  void copy(CatalogRow row, List<Chunk> rowChunks) {
    record.start();
    CatalogColumns.copy(record, row);
    append(row.path(), row.parent(), rowChunks, Counters.ofRow(row, rowChunks.size()));
  }

  /** Names a nested catalog whose mountpoint is {@linkplain #copy copied} on its own. */
  void copyNested(NestedCatalog catalog, Counters total) {
    nested.put(catalog.path(), catalog);
    self = self.plus(Counters.ONE_NESTED);
    subtree = subtree.plus(total);
  }

  void copyBindMountpoint(NestedCatalog catalog) {
    bindMountpoints.put(catalog.path(), catalog);
  }

  /** Adds to what the nested catalogs count. */
  void countSubtree(Counters total) {
    subtree = subtree.plus(total);
  }

  private void requireBelowMount(RepositoryPath path) {
    if (path.equals(mount) || !path.startsWith(mount)) {
      throw new CvmfsException.Rejected("not below the catalog at " + mount + ": " + path);
    }
  }

  private void write(PathHash path, PathHash parent, byte[] name, CatalogEntry entry, int flags) {
    record.start();
    CatalogColumns.write(record, path, parent, name, entry, flags);
    append(path, parent, entry.chunks(), Counters.of(entry));
  }

  private void append(PathHash path, PathHash parent, List<Chunk> rowChunks, Counters counters) {
    if (finished) {
      throw new IllegalStateException("the catalog at " + mount + " is finished");
    }
    long rowId = byPath.size() + 1L;
    rows.add(rowId, record);
    byPath.add(new Key(path.first(), path.second(), rowId));
    byParent.add(new Key(parent.first(), parent.second(), rowId));
    for (Chunk chunk : rowChunks) {
      chunks.add(new ChunkRow(path, chunk));
    }
    self = self.plus(counters);
  }

  /** What the rows so far count. */
  public Counters self() {
    return self;
  }

  /** What the nested catalogs so far, and all below them, count. */
  public Counters subtree() {
    return subtree;
  }

  /** Rows so far, the root's included. */
  public int rows() {
    return byPath.size();
  }

  /**
   * Ends the catalog; nothing can be added after.
   *
   * @throws CvmfsException.Rejected if two entries have one path, or the catalog is too large
   */
  public byte[] finish() {
    if (finished) {
      throw new IllegalStateException("the catalog at " + mount + " is finished");
    }
    finished = true;
    List<SchemaRow> schema = new ArrayList<>();
    addTable(schema, "properties", CatalogSchema.PROPERTIES_SQL, textPairs(properties));
    int catalogRoot = rows.finish();
    schema.add(
        new SchemaRow("table", "catalog", "catalog", catalogRoot, CatalogSchema.CATALOG_SQL));
    schema.add(automaticIndex("catalog", writePathIndex()));
    schema.add(
        new SchemaRow(
            "index",
            "idx_catalog_parent",
            "catalog",
            writeHashIndex(byParent),
            CatalogSchema.PARENT_INDEX_SQL));
    addTable(schema, "chunks", CatalogSchema.CHUNKS_SQL, chunkRows());
    addTable(schema, "nested_catalogs", CatalogSchema.NESTED_CATALOGS_SQL, catalogRows(nested));
    addTable(
        schema,
        "bind_mountpoints",
        CatalogSchema.BIND_MOUNTPOINTS_SQL,
        catalogRows(bindMountpoints));
    addTable(schema, "statistics", CatalogSchema.STATISTICS_SQL, counterRows());
    writeSchema(schema);
    return file.finish();
  }

  private int writePathIndex() {
    int root = writeHashIndex(byPath);
    for (int i = 1; i < byPath.size(); i++) {
      Key before = byPath.get(i - 1);
      Key key = byPath.get(i);
      if (before.first == key.first && before.second == key.second) {
        throw new CvmfsException.Rejected(
            "rows "
                + before.rowId
                + " and "
                + key.rowId
                + " of the catalog at "
                + mount
                + " have the same path");
      }
    }
    return root;
  }

  private int writeHashIndex(List<Key> keys) {
    keys.sort(BY_HASH);
    IndexTree index = new IndexTree(file, keys.size());
    for (Key key : keys) {
      index.add(record.start().put(key.first).put(key.second).put(key.rowId));
    }
    return index.finish();
  }

  /** Writes a table whose index holds each row's leading columns; rows come in index order. */
  private void addTable(List<SchemaRow> schema, String name, String sql, List<KeyedRow> keyedRows) {
    TableTree table = new TableTree(file);
    IndexTree index = new IndexTree(file, keyedRows.size());
    long rowId = 0;
    for (KeyedRow row : keyedRows) {
      rowId++;
      row.writeKey(record.start());
      row.writeRest(record);
      table.add(rowId, record);
      row.writeKey(record.start());
      index.add(record.put(rowId));
    }
    schema.add(new SchemaRow("table", name, name, table.finish(), sql));
    schema.add(automaticIndex(name, index.finish()));
  }

  private static SchemaRow automaticIndex(String table, int root) {
    return new SchemaRow("index", "sqlite_autoindex_" + table + "_1", table, root, "");
  }

  private void writeSchema(List<SchemaRow> schema) {
    TableTree table = new TableTree(file);
    long rowId = 0;
    for (SchemaRow row : schema) {
      rowId++;
      record
          .start()
          .putText(ascii(row.type))
          .putText(ascii(row.name))
          .putText(ascii(row.table))
          .put(row.root);
      if (row.sql.isEmpty()) {
        record.putNull();
      } else {
        record.putText(ascii(row.sql));
      }
      table.add(rowId, record);
    }
    table.finishOnSchemaPage();
  }

  private static Map<String, String> texts(CatalogProperties properties) {
    Map<String, String> texts = new TreeMap<>();
    texts.put(CatalogSchema.KEY_SCHEMA, CatalogSchema.VERSION);
    texts.put(CatalogSchema.KEY_SCHEMA_REVISION, Integer.toString(CatalogSchema.REVISION));
    if (!properties.mount().isRoot()) {
      texts.put(CatalogSchema.KEY_ROOT_PREFIX, properties.mount().toString());
    }
    if (properties.timeToLive() != null) {
      texts.put(CatalogSchema.KEY_TTL, Long.toString(properties.timeToLive().toSeconds()));
    }
    texts.put(CatalogSchema.KEY_LAST_MODIFIED, Long.toString(properties.lastModifiedSeconds()));
    texts.put(CatalogSchema.KEY_REVISION, Long.toString(properties.revision()));
    texts.put(
        CatalogSchema.KEY_PREVIOUS_REVISION,
        properties.previousRevision() == null
            ? CatalogSchema.NO_PREVIOUS_REVISION
            : properties.previousRevision().toString());
    return texts;
  }

  private static List<KeyedRow> textPairs(Map<String, String> texts) {
    List<KeyedRow> pairs = new ArrayList<>();
    texts.forEach(
        (key, value) ->
            pairs.add(
                new KeyedRow() {
                  @Override
                  public void writeKey(RecordWriter record) {
                    record.putText(utf8(key));
                  }

                  @Override
                  public void writeRest(RecordWriter record) {
                    record.putText(utf8(value));
                  }
                }));
    return pairs;
  }

  private List<KeyedRow> counterRows() {
    Map<String, Long> values = new TreeMap<>();
    for (CounterName name : CounterName.values()) {
      values.put(name.self(), name.of(self));
      values.put(name.subtree(), name.of(subtree));
    }
    List<KeyedRow> counters = new ArrayList<>();
    values.forEach(
        (counter, value) ->
            counters.add(
                new KeyedRow() {
                  @Override
                  public void writeKey(RecordWriter record) {
                    record.putText(ascii(counter));
                  }

                  @Override
                  public void writeRest(RecordWriter record) {
                    record.put(value);
                  }
                }));
    return counters;
  }

  private static List<KeyedRow> catalogRows(Map<RepositoryPath, NestedCatalog> catalogs) {
    List<KeyedRow> result = new ArrayList<>();
    catalogs
        .values()
        .forEach(
            catalog ->
                result.add(
                    new KeyedRow() {
                      @Override
                      public void writeKey(RecordWriter record) {
                        record.putText(catalog.path().bytes());
                      }

                      @Override
                      public void writeRest(RecordWriter record) {
                        record.putText(ascii(catalog.hash().toString())).put(catalog.sizeBytes());
                      }
                    }));
    return result;
  }

  private List<KeyedRow> chunkRows() {
    chunks.sort(
        Comparator.comparingLong((ChunkRow row) -> row.path.first())
            .thenComparingLong(row -> row.path.second())
            .thenComparingLong(row -> row.chunk.offsetBytes()));
    return List.copyOf(chunks);
  }

  private static byte[] ascii(String text) {
    return text.getBytes(StandardCharsets.US_ASCII);
  }

  private static byte[] utf8(String text) {
    return text.getBytes(StandardCharsets.UTF_8);
  }

  /** An entry of an index on a path hash. */
  private record Key(long first, long second, long rowId) {}

  /** A row of the schema; no text in {@code sql} stands for an automatic index. */
  private record SchemaRow(String type, String name, String table, int root, String sql) {}

  /** A row of a table whose primary key is its leading columns. */
  private interface KeyedRow {
    void writeKey(RecordWriter record);

    void writeRest(RecordWriter record);
  }

  private record ChunkRow(PathHash path, Chunk chunk) implements KeyedRow {
    @Override
    public void writeKey(RecordWriter record) {
      record.put(path.first()).put(path.second()).put(chunk.offsetBytes()).put(chunk.sizeBytes());
    }

    @Override
    public void writeRest(RecordWriter record) {
      record.putBlob(chunk.hash().digest());
    }
  }
}
