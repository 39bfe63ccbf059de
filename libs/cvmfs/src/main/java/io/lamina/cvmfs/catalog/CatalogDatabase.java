package io.lamina.cvmfs.catalog;

import io.lamina.cvmfs.CvmfsException;
import java.nio.file.Path;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.sql.Types;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import org.sqlite.SQLiteConnection;
import org.sqlite.SQLiteException;
import org.sqlite.SQLiteLimits;

/**
 * A catalog's SQLite connection: opens it with all that a hostile file could abuse switched off,
 * and turns SQLite's failures into this module's. Not thread-safe.
 */
final class CatalogDatabase implements AutoCloseable {
  /** The longest text, blob or statement; rows of a catalog stay far below. */
  private static final int MAX_VALUE_BYTES = 1 << 20;

  private static final int HEADER_BYTES = 100;
  private static final int WRITE_VERSION = 18;
  private static final int READ_VERSION = 19;
  private static final int TEXT_ENCODING = 59;
  private static final byte UTF_8 = 1;
  private static final String MAGIC = "SQLite format 3\0";
  private static final int PRIMARY_CODE = 0xff;

  private final SQLiteConnection connection;
  private final Map<String, PreparedStatement> statements = new HashMap<>();
  private String label = "(unread)";

  private CatalogDatabase(SQLiteConnection connection) {
    this.connection = connection;
  }

  /** Copies the database into memory of SQLite's own. */
  static CatalogDatabase inMemory(byte[] database) {
    requireHeader(database);
    return open("jdbc:sqlite::memory:", connection -> connection.deserialize("main", database));
  }

  /** Reads the file where it is; it must not change while it is open. */
  static CatalogDatabase ofFile(Path file) {
    return open(
        "jdbc:sqlite:" + file.toUri().toASCIIString() + "?immutable=1&mode=ro", connection -> {});
  }

  private static CatalogDatabase open(String url, Preparation preparation) {
    try {
      SQLiteConnection connection = DriverManager.getConnection(url).unwrap(SQLiteConnection.class);
      CatalogDatabase database = new CatalogDatabase(connection);
      try {
        connection.setLimit(SQLiteLimits.SQLITE_LIMIT_LENGTH, MAX_VALUE_BYTES);
        preparation.prepare(connection);
        database.execute("PRAGMA trusted_schema=OFF");
        return database;
      } catch (SQLException | RuntimeException e) {
        database.close();
        throw e;
      }
    } catch (SQLException e) {
      throw translated("opening a catalog", e);
    }
  }

  private static void requireHeader(byte[] database) {
    if (database.length < HEADER_BYTES || !startsWithMagic(database)) {
      throw new CvmfsException.Corrupt(
          "not a catalog: " + database.length + " bytes that are no SQLite database");
    }
    if (database[WRITE_VERSION] != 1 || database[READ_VERSION] != 1) {
      throw new CvmfsException.Corrupt(
          "the catalog is an SQLite database in WAL mode; clients cannot open it");
    }
    if (database[TEXT_ENCODING] != UTF_8) {
      throw new CvmfsException.Rejected(
          "the catalog's text encoding is number "
              + database[TEXT_ENCODING]
              + "; only UTF-8 (1) can be read");
    }
  }

  private static boolean startsWithMagic(byte[] database) {
    for (int i = 0; i < MAGIC.length(); i++) {
      if (database[i] != MAGIC.charAt(i)) {
        return false;
      }
    }
    return true;
  }

  /** Names the catalog in messages. */
  void label(String text) {
    this.label = text;
  }

  String label() {
    return label;
  }

  /**
   * The columns of every table. Insists on plain tables and indexes: a view, trigger, virtual table
   * or computed column would run code of the file's author.
   */
  Map<String, Set<String>> columnsByTable() {
    Map<String, Set<String>> columns = new HashMap<>();
    Set<String> unknown = new HashSet<>();
    query(
        "SELECT type, name, coalesce(rootpage, 0), sql FROM sqlite_schema",
        row -> {
          String type = row.getString(1);
          String name = row.getString(2);
          boolean plain = row.getLong(3) > 0 && ("table".equals(type) || "index".equals(type));
          if (!plain) {
            throw new CvmfsException.Corrupt(
                "catalog " + label + " holds a " + type + " '" + name + "'");
          }
          if ("table".equals(type)) {
            // Asking SQLite for the columns takes longer than all the rest of opening a catalog.
            Set<String> known = CatalogSchema.COLUMNS_BY_SQL.get(row.getString(4));
            columns.put(name, known == null ? new HashSet<>() : known);
            if (known == null) {
              unknown.add(name);
            }
          }
        });
    for (String table : unknown) {
      query(
          "SELECT name, hidden FROM pragma_table_xinfo(?)",
          row -> {
            if (row.getInt(2) != 0) {
              throw new CvmfsException.Corrupt(
                  "catalog " + label + " has the computed column '" + row.getString(1) + "'");
            }
            columns.getOrDefault(table, new HashSet<>()).add(row.getString(1));
          },
          table);
    }
    return columns;
  }

  /** Runs a query and hands over each row in turn. */
  void query(String sql, RowReader reader, Object... parameters) {
    try {
      PreparedStatement statement = bound(sql, parameters);
      try (ResultSet rows = statement.executeQuery()) {
        while (rows.next()) {
          reader.read(rows);
        }
      }
    } catch (SQLException e) {
      throw translated("reading catalog " + label, e);
    }
  }

  /** Runs a change and returns how many rows it touched. */
  int update(String sql, Object... parameters) {
    try {
      return bound(sql, parameters).executeUpdate();
    } catch (SQLException e) {
      throw translated("changing catalog " + label, e);
    }
  }

  void execute(String sql) {
    try (Statement statement = connection.createStatement()) {
      statement.execute(sql);
    } catch (SQLException e) {
      throw translated("running " + sql + " on catalog " + label, e);
    }
  }

  byte[] serialize() {
    try {
      return connection.serialize("main");
    } catch (SQLException e) {
      throw translated("writing catalog " + label, e);
    }
  }

  private PreparedStatement bound(String sql, Object... parameters) throws SQLException {
    PreparedStatement statement = statements.get(sql);
    if (statement == null) {
      statement = connection.prepareStatement(sql);
      statements.put(sql, statement);
    }
    for (int i = 0; i < parameters.length; i++) {
      switch (parameters[i]) {
        case Long number -> statement.setLong(i + 1, number);
        case Integer number -> statement.setInt(i + 1, number);
        case String text -> statement.setString(i + 1, text);
        case byte[] blob -> statement.setBytes(i + 1, blob);
        case Null ignored -> statement.setNull(i + 1, Types.NULL);
        default -> throw new IllegalArgumentException("parameter " + (i + 1) + " of " + sql);
      }
    }
    return statement;
  }

  @Override
  public void close() {
    try {
      for (PreparedStatement statement : statements.values()) {
        statement.close();
      }
      connection.close();
    } catch (SQLException e) {
      throw translated("closing catalog " + label, e);
    }
  }

  private static CvmfsException translated(String action, SQLException e) {
    String message = action + " failed: " + e.getMessage();
    int code = e instanceof SQLiteException sqlite ? sqlite.getResultCode().code : e.getErrorCode();
    return switch (code & PRIMARY_CODE) {
      // SQLITE_BUSY, LOCKED, NOMEM, IOERR, FULL and CANTOPEN are states of the machine.
      case 5, 6, 7, 10, 13, 14 -> new CvmfsException.Retryable(message, e);
      default -> new CvmfsException.Corrupt(message, e);
    };
  }

  /** Stands for NULL among the parameters of a statement. */
  enum Null {
    VALUE
  }

  /** Takes the columns of one row. */
  @FunctionalInterface
  interface RowReader {
    void read(ResultSet row) throws SQLException;
  }

  @FunctionalInterface
  private interface Preparation {
    void prepare(SQLiteConnection connection) throws SQLException;
  }
}
