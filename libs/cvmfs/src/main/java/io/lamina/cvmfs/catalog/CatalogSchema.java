package io.lamina.cvmfs.catalog;

import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Tables, properties and counters of a catalog, schema 2.5 revision 7.
 *
 * <p>Source: docs/format/catalogs.md, "Tables" and "Properties".
 */
final class CatalogSchema {
  static final String VERSION = "2.5";
  static final int REVISION = 7;

  /** Small pages keep the many small catalogs small: docs/format/catalogs.md, "Page size". */
  static final int PAGE_BYTES = 1024;

  static final String KEY_SCHEMA = "schema";
  static final String KEY_SCHEMA_REVISION = "schema_revision";
  static final String KEY_ROOT_PREFIX = "root_prefix";
  static final String KEY_TTL = "TTL";
  static final String KEY_LAST_MODIFIED = "last_modified";
  static final String KEY_REVISION = "revision";
  static final String KEY_PREVIOUS_REVISION = "previous_revision";

  /** Value of {@link #KEY_PREVIOUS_REVISION} in a catalog without a predecessor. */
  static final String NO_PREVIOUS_REVISION = "0".repeat(40);

  static final List<String> CATALOG_COLUMNS =
      List.of(
          "md5path_1",
          "md5path_2",
          "parent_1",
          "parent_2",
          "hardlinks",
          "hash",
          "size",
          "mode",
          "mtime",
          "mtimens",
          "flags",
          "name",
          "symlink",
          "uid",
          "gid",
          "xattr");

  static final String PROPERTIES_SQL =
      "CREATE TABLE properties (key TEXT, value TEXT, CONSTRAINT pk_properties PRIMARY KEY (key))";
  static final String CATALOG_SQL =
      "CREATE TABLE catalog (md5path_1 INTEGER, md5path_2 INTEGER, parent_1 INTEGER,"
          + " parent_2 INTEGER, hardlinks INTEGER, hash BLOB, size INTEGER, mode INTEGER,"
          + " mtime INTEGER, mtimens INTEGER, flags INTEGER, name TEXT, symlink TEXT, uid INTEGER,"
          + " gid INTEGER, xattr BLOB, CONSTRAINT pk_catalog PRIMARY KEY (md5path_1, md5path_2))";
  static final String PARENT_INDEX_SQL =
      "CREATE INDEX idx_catalog_parent ON catalog (parent_1, parent_2)";
  static final String CHUNKS_SQL =
      "CREATE TABLE chunks (md5path_1 INTEGER, md5path_2 INTEGER, offset INTEGER, size INTEGER,"
          + " hash BLOB, CONSTRAINT pk_chunks PRIMARY KEY (md5path_1, md5path_2, offset, size),"
          + " FOREIGN KEY (md5path_1, md5path_2) REFERENCES catalog (md5path_1, md5path_2))";
  static final String NESTED_CATALOGS_SQL =
      "CREATE TABLE nested_catalogs (path TEXT, sha1 TEXT, size INTEGER,"
          + " CONSTRAINT pk_nested_catalogs PRIMARY KEY (path))";
  static final String BIND_MOUNTPOINTS_SQL =
      "CREATE TABLE bind_mountpoints (path TEXT, sha1 TEXT, size INTEGER,"
          + " CONSTRAINT pk_bind_mountpoints PRIMARY KEY (path))";
  static final String STATISTICS_SQL =
      "CREATE TABLE statistics (counter TEXT, value INTEGER,"
          + " CONSTRAINT pk_statistics PRIMARY KEY (counter))";

  /** The columns of the tables above, by the statement that makes each. */
  static final Map<String, Set<String>> COLUMNS_BY_SQL =
      Map.of(
          PROPERTIES_SQL, Set.of("key", "value"),
          CATALOG_SQL, Set.copyOf(CATALOG_COLUMNS),
          CHUNKS_SQL, Set.of("md5path_1", "md5path_2", "offset", "size", "hash"),
          NESTED_CATALOGS_SQL, Set.of("path", "sha1", "size"),
          BIND_MOUNTPOINTS_SQL, Set.of("path", "sha1", "size"),
          STATISTICS_SQL, Set.of("counter", "value"));

  private CatalogSchema() {}
}
