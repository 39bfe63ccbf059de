package io.lamina.repository;

import io.lamina.cvmfs.ContentHash;
import io.lamina.cvmfs.catalog.Counters;
import java.util.Optional;

/**
 * Counters of whole trees that are known without reading their catalogs. Taking a tree out of its
 * parent needs them, and the tree's catalogs may be gone by the time that this is replayed.
 * Thread-safe.
 */
@FunctionalInterface
public interface KnownTotals {
  KnownTotals NONE = catalog -> Optional.empty();

  /** What a graft of this catalog said: its own counters plus those of all below. */
  Optional<Counters> of(ContentHash catalog);
}
