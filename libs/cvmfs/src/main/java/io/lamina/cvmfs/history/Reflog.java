package io.lamina.cvmfs.history;

import io.lamina.cvmfs.ContentHash;
import io.lamina.cvmfs.CvmfsException;
import io.lamina.cvmfs.HashAlgorithm;
import io.lamina.cvmfs.ObjectKind;
import io.lamina.cvmfs.RepositoryName;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;

/**
 * The log of all root catalogs, certificates, histories and descriptions that a repository ever
 * published, held in memory: opened from the file's bytes, appended to, and turned into bytes
 * again. The same additions to the same bytes give the same bytes.
 *
 * <p>Source: docs/format/history.md, "Reflog". Not thread-safe; close it.
 */
public final class Reflog implements AutoCloseable {
  /** The file's name in the repository's root. */
  public static final String FILE_NAME = ".cvmfsreflog";

  /** The longest file that is read, in bytes: about a million entries. */
  public static final int MAX_BYTES = MemoryDatabase.MAX_BYTES;

  private static final String WHAT = "the reflog";
  private static final String SCHEMA = "1.0";
  private static final List<String> DDL =
      List.of(
          "CREATE TABLE properties (key TEXT, value TEXT,"
              + " CONSTRAINT pk_properties PRIMARY KEY (key))",
          "CREATE TABLE refs (hash TEXT, type INTEGER, timestamp INTEGER,"
              + " CONSTRAINT pk_refs PRIMARY KEY (hash))",
          "INSERT INTO properties (key, value) VALUES ('schema', '" + SCHEMA + "')",
          "INSERT INTO properties (key, value) VALUES ('schema_revision', '0')");

  /** What an entry names; the order is that of the numbers in the file. */
  public enum Kind {
    CATALOG(ObjectKind.CATALOG),
    CERTIFICATE(ObjectKind.CERTIFICATE),
    HISTORY(ObjectKind.HISTORY),
    METAINFO(ObjectKind.METAINFO);

    private final ObjectKind object;

    Kind(ObjectKind object) {
      this.object = object;
    }

    public ObjectKind object() {
      return object;
    }
  }

  /**
   * One line of the log.
   *
   * @param addedSeconds time of its addition since the epoch
   */
  public record Entry(Kind kind, ContentHash hash, long addedSeconds) {}

  private final MemoryDatabase database;

  private Reflog(MemoryDatabase database) {
    this.database = database;
  }

  public static Reflog create(RepositoryName repository) {
    MemoryDatabase database = MemoryDatabase.create(WHAT, DDL);
    database.update("INSERT INTO properties (key, value) VALUES ('fqrn', ?)", repository);
    return new Reflog(database);
  }

  /**
   * Opens the file's bytes.
   *
   * @throws CvmfsException.Corrupt if it is not a reflog of this repository
   * @throws CvmfsException.Rejected if its schema is not supported
   */
  public static Reflog open(byte[] bytes, RepositoryName repository) {
    MemoryDatabase database = MemoryDatabase.open(WHAT, bytes, List.of("properties", "refs"));
    try {
      Properties.require(database, WHAT, SCHEMA, repository);
      return new Reflog(database);
    } catch (CvmfsException e) {
      database.close();
      throw e;
    }
  }

  /** The hash of the file, as the manifest names it: of its bytes as they are. */
  public static ContentHash hashOf(byte[] bytes, HashAlgorithm algorithm) {
    return ContentHash.of(algorithm, algorithm.newDigest().digest(bytes));
  }

  /** Appends an entry; whether the hash was not there already. */
  public boolean add(Entry entry) {
    return database.update(
            "INSERT OR IGNORE INTO refs (hash, type, timestamp) VALUES (?, ?, ?)",
            entry.hash(),
            entry.kind().ordinal(),
            entry.addedSeconds())
        > 0;
  }

  /** Removes an entry; whether there was one. */
  public boolean remove(Entry entry) {
    return database.update(
            "DELETE FROM refs WHERE hash = ? AND type = ?", entry.hash(), entry.kind().ordinal())
        > 0;
  }

  public boolean contains(Kind kind, ContentHash hash) {
    return database
        .text("SELECT 1 FROM refs WHERE hash = ? AND type = ?", hash, kind.ordinal())
        .isPresent();
  }

  public long size() {
    return database.number("SELECT count(*) FROM refs");
  }

  /**
   * Every entry, oldest first.
   *
   * @throws CvmfsException.Corrupt at the first that is malformed
   */
  public void forEach(Consumer<Entry> sink) {
    database.query(
        "SELECT hash, type, timestamp FROM refs ORDER BY rowid",
        statement -> {
          try (ResultSet rows = statement.executeQuery()) {
            while (rows.next()) {
              sink.accept(read(rows));
            }
          }
          return true;
        });
  }

  /** The file's bytes with all additions. */
  public byte[] toBytes() {
    return database.bytes();
  }

  @Override
  public void close() {
    database.close();
  }

  private static Entry read(ResultSet rows) throws SQLException {
    String hash = Optional.ofNullable(rows.getString(1)).orElse("");
    int type = rows.getInt(2);
    if (type < 0 || type >= Kind.values().length) {
      throw new CvmfsException.Corrupt(WHAT + " has an entry of unknown type " + type);
    }
    try {
      return new Entry(Kind.values()[type], ContentHash.parse(hash), rows.getLong(3));
    } catch (CvmfsException.Rejected e) {
      throw new CvmfsException.Corrupt(WHAT + " has an entry that is no hash: '" + hash + "'", e);
    }
  }
}
