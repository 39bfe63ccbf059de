package io.lamina.cvmfs.tree;

import io.lamina.cvmfs.ObjectKind;
import io.lamina.cvmfs.RepositoryPath;
import io.lamina.cvmfs.compression.CompressedObject;

/** Takes finished catalogs, each after all that hang in it, to store them. */
@FunctionalInterface
public interface CatalogSink {
  /**
   * Stores a catalog; what this throws ends the writing of the tree.
   *
   * @param mount where the catalog hangs
   * @param kind always {@link ObjectKind#CATALOG}
   */
  void store(RepositoryPath mount, ObjectKind kind, CompressedObject catalog);
}
