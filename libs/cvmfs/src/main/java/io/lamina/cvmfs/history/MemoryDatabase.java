package io.lamina.cvmfs.history;

import io.lamina.cvmfs.CvmfsException;
import java.nio.charset.StandardCharsets;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Properties;
import org.sqlite.SQLiteConnection;
import org.sqlite.jdbc4.JDBC4Connection;

/**
 * A SQLite database that lives in memory and comes from and goes to an array. The same statements
 * on the same bytes give the same bytes, as long as the SQLite library is the same.
 *
 * <p>Not thread-safe.
 */
final class MemoryDatabase implements AutoCloseable {
  /** About a million log entries; the array has to fit beside everything else in the heap. */
  static final int MAX_BYTES = 128 << 20;

  private static final byte[] MAGIC = "SQLite format 3\0".getBytes(StandardCharsets.US_ASCII);
  private static final int READ_VERSION_OFFSET = 19;
  private static final int WAL = 2;

  /** Runs on a statement; what it throws means that the database is damaged. */
  interface Query<T> {
    T run(PreparedStatement statement) throws SQLException;
  }

  private final String what;
  private final SQLiteConnection connection;

  private MemoryDatabase(String what, SQLiteConnection connection) {
    this.what = what;
    this.connection = connection;
  }

  /** A new database with these tables and rows. */
  static MemoryDatabase create(String what, List<String> statements) {
    try (SQLiteConnection empty = connect();
        Statement statement = empty.createStatement()) {
      empty.setAutoCommit(false);
      for (String sql : statements) {
        statement.executeUpdate(sql);
      }
      empty.commit();
      // Opened anew, since SQLite keeps no change counter in the header of a database that began
      // in memory, and does so for one that came from bytes.
      return open(what, empty.serialize("main"), List.of());
    } catch (SQLException e) {
      throw new IllegalStateException("cannot create " + what, e);
    }
  }

  /**
   * Opens bytes that somebody else may have written.
   *
   * @param tables that must be there, as ordinary tables
   * @throws CvmfsException.Corrupt if it is no database, or has anything but tables and indexes
   */
  static MemoryDatabase open(String what, byte[] bytes, List<String> tables) {
    requireHeader(what, bytes);
    MemoryDatabase database = new MemoryDatabase(what, connect());
    try (Statement statement = database.connection.createStatement()) {
      database.connection.deserialize("main", bytes);
      statement.execute("PRAGMA trusted_schema = OFF");
      database.requireTables(statement, tables);
      database.connection.setAutoCommit(false);
      return database;
    } catch (SQLException e) {
      database.close();
      throw new CvmfsException.Corrupt(what + " is not a readable SQLite database", e);
    } catch (CvmfsException e) {
      database.close();
      throw e;
    }
  }

  <T> T query(String sql, Query<T> query) {
    try (PreparedStatement statement = connection.prepareStatement(sql)) {
      return query.run(statement);
    } catch (SQLException e) {
      throw new CvmfsException.Corrupt(what + " cannot be read or changed: " + e.getMessage(), e);
    }
  }

  /** Runs one change with these values and says how many rows it touched. */
  int update(String sql, Object... values) {
    return query(
        sql,
        statement -> {
          bind(statement, values);
          return statement.executeUpdate();
        });
  }

  /** The only value of the only row, if there is a row and it is not null. */
  Optional<String> text(String sql, Object... values) {
    return query(
        sql,
        statement -> {
          bind(statement, values);
          try (ResultSet rows = statement.executeQuery()) {
            return rows.next() ? Optional.ofNullable(rows.getString(1)) : Optional.empty();
          }
        });
  }

  private static void bind(PreparedStatement statement, Object... values) throws SQLException {
    for (int i = 0; i < values.length; i++) {
      switch (values[i]) {
        case Long number -> statement.setLong(i + 1, number);
        case Integer number -> statement.setInt(i + 1, number);
        default -> statement.setString(i + 1, values[i].toString());
      }
    }
  }

  long number(String sql, Object... values) {
    String text =
        text(sql, values)
            .orElseThrow(() -> new CvmfsException.Corrupt(what + " has no answer to " + sql));
    try {
      return Long.parseLong(text);
    } catch (NumberFormatException e) {
      throw new CvmfsException.Corrupt(what + " has '" + text + "' where a number belongs", e);
    }
  }

  /** The database file's bytes with all changes so far. */
  byte[] bytes() {
    try {
      connection.commit();
      byte[] bytes = connection.serialize("main");
      if (bytes.length > MAX_BYTES) {
        throw new CvmfsException.Rejected(
            what + " has grown to " + bytes.length + " bytes, more than " + MAX_BYTES);
      }
      return bytes;
    } catch (SQLException e) {
      throw new CvmfsException.Corrupt(what + " cannot be written", e);
    }
  }

  @Override
  public void close() {
    try {
      connection.close();
    } catch (SQLException e) {
      throw new IllegalStateException("cannot close the in-memory database of " + what, e);
    }
  }

  private static SQLiteConnection connect() {
    try {
      return new JDBC4Connection("jdbc:sqlite::memory:", ":memory:", new Properties());
    } catch (SQLException e) {
      throw new IllegalStateException("cannot start SQLite", e);
    }
  }

  private static void requireHeader(String what, byte[] bytes) {
    if (bytes.length > MAX_BYTES) {
      throw new CvmfsException.Corrupt(
          what + " has " + bytes.length + " bytes, more than " + MAX_BYTES);
    }
    if (bytes.length < 512 || !Arrays.equals(bytes, 0, MAGIC.length, MAGIC, 0, MAGIC.length)) {
      throw new CvmfsException.Corrupt(what + " is not a SQLite database");
    }
    if (bytes[READ_VERSION_OFFSET] >= WAL) {
      throw new CvmfsException.Corrupt(what + " is in write-ahead-log mode, which nobody can read");
    }
  }

  private void requireTables(Statement statement, List<String> tables) throws SQLException {
    List<String> missing = new ArrayList<>(tables);
    try (ResultSet rows = statement.executeQuery("SELECT type, name, sql FROM sqlite_master")) {
      while (rows.next()) {
        String type = rows.getString(1);
        String sql = Optional.ofNullable(rows.getString(3)).orElse("");
        boolean plain =
            type.equals("index") || (type.equals("table") && sql.startsWith("CREATE TABLE"));
        if (!plain) {
          throw new CvmfsException.Corrupt(
              what + " has a " + type + " '" + rows.getString(2) + "', only tables are allowed");
        }
        if (type.equals("table")) {
          missing.remove(rows.getString(2));
        }
      }
    }
    if (!missing.isEmpty()) {
      throw new CvmfsException.Corrupt(what + " lacks the tables " + missing);
    }
  }
}
