package io.lamina.gateway.repository;

import io.lamina.cvmfs.ContentHash;
import io.lamina.cvmfs.RepositoryPath;
import io.lamina.cvmfs.catalog.CatalogChange;
import io.lamina.cvmfs.catalog.CatalogEntry;
import io.lamina.cvmfs.catalog.Counters;
import io.lamina.cvmfs.catalog.Graft;

/** Layers as transactions attach them. */
final class Grafts {
  private Grafts() {}

  static CatalogChange at(RepositoryPath path) {
    return new CatalogChange.Attach(
        new Graft(
            path,
            ContentHash.parse("2".repeat(40)),
            4096,
            CatalogEntry.directory(0755, 0, 0, 1_700_000_000L),
            Counters.ZERO));
  }
}
