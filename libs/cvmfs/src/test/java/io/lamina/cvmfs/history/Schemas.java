package io.lamina.cvmfs.history;

import java.util.List;
import java.util.Set;
import java.util.TreeSet;

/** Reads how a database's tables were declared. */
final class Schemas {
  private Schemas() {}

  /** The statements that made the tables, without differences in blanks. */
  static Set<String> of(byte[] database) {
    try (MemoryDatabase opened = MemoryDatabase.open("the database", database, List.of())) {
      return opened.query(
          "SELECT sql FROM sqlite_master WHERE sql IS NOT NULL",
          statement -> {
            Set<String> all = new TreeSet<>();
            try (var rows = statement.executeQuery()) {
              while (rows.next()) {
                all.add(rows.getString(1).replaceAll("\\s+", " "));
              }
            }
            return all;
          });
    }
  }
}
