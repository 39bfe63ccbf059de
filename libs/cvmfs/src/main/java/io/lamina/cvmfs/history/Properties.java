package io.lamina.cvmfs.history;

import io.lamina.cvmfs.CvmfsException;
import io.lamina.cvmfs.RepositoryName;
import java.util.Optional;

/** The {@code properties} table that both databases have. */
final class Properties {
  private Properties() {}

  static Optional<String> value(MemoryDatabase database, String key) {
    return database.text("SELECT value FROM properties WHERE key = ?", key);
  }

  /** Checks the schema's version first, then the name. */
  static void require(
      MemoryDatabase database, String what, String schema, RepositoryName repository) {
    String actualSchema = value(database, "schema").orElse("none");
    if (!actualSchema.equals(schema)) {
      throw new CvmfsException.Rejected(
          what + " has schema " + actualSchema + ", only " + schema + " is supported");
    }
    String name = value(database, "fqrn").orElse("none");
    if (!name.equals(repository.value())) {
      throw new CvmfsException.Corrupt(
          what + " is of repository '" + name + "', expected " + repository);
    }
  }
}
