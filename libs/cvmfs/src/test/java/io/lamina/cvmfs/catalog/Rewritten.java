package io.lamina.cvmfs.catalog;

import java.sql.SQLException;

/** Catalogs changed behind this module's back, for tests of other packages. */
public final class Rewritten {
  private Rewritten() {}

  /** Marks every regular file as lying outside the repository. */
  public static byte[] withExternalFiles(byte[] database) {
    try (PlainSqlite sqlite = new PlainSqlite(database)) {
      sqlite.execute("UPDATE catalog SET flags = flags | 128 WHERE flags & 4 AND size > 0");
      return sqlite.serialize();
    } catch (SQLException e) {
      throw new IllegalStateException(e);
    }
  }
}
