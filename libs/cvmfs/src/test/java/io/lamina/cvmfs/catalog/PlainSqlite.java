package io.lamina.cvmfs.catalog;

import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import org.sqlite.SQLiteConnection;

/** Looks at a database through SQLite itself, past all of this module's code. */
final class PlainSqlite implements AutoCloseable {
  private final SQLiteConnection connection;

  PlainSqlite(byte[] database) throws SQLException {
    connection = DriverManager.getConnection("jdbc:sqlite::memory:").unwrap(SQLiteConnection.class);
    connection.deserialize("main", database);
  }

  void execute(String sql) throws SQLException {
    try (Statement statement = connection.createStatement()) {
      statement.execute(sql);
    }
  }

  /** Each row as its columns' texts, joined by bars. */
  List<String> rows(String sql) throws SQLException {
    List<String> result = new ArrayList<>();
    try (Statement statement = connection.createStatement();
        ResultSet rows = statement.executeQuery(sql)) {
      int columns = rows.getMetaData().getColumnCount();
      while (rows.next()) {
        List<String> texts = new ArrayList<>();
        for (int i = 1; i <= columns; i++) {
          texts.add(String.valueOf(rows.getString(i)));
        }
        result.add(String.join("|", texts));
      }
    }
    return result;
  }

  byte[] serialize() throws SQLException {
    return connection.serialize("main");
  }

  @Override
  public void close() throws SQLException {
    connection.close();
  }
}
