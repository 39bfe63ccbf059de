package io.lamina.cvmfs;

import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.List;
import org.sqlite.SQLiteConnection;

/** Changes a database in an array, past everything that the product would refuse to write. */
public final class SqlEdit {
  private SqlEdit() {}

  public static byte[] apply(byte[] database, List<String> statements) {
    try (Connection connection = DriverManager.getConnection("jdbc:sqlite::memory:");
        Statement statement = connection.createStatement()) {
      SQLiteConnection sqlite = connection.unwrap(SQLiteConnection.class);
      sqlite.deserialize("main", database);
      for (String sql : statements) {
        statement.executeUpdate(sql);
      }
      return sqlite.serialize("main");
    } catch (SQLException e) {
      throw new IllegalStateException("cannot run " + statements, e);
    }
  }
}
