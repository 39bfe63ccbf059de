package io.lamina.repository;

import io.lamina.cvmfs.ContentHash;
import io.lamina.cvmfs.CvmfsException;
import io.lamina.cvmfs.ObjectKind;
import io.lamina.cvmfs.catalog.CatalogReader;
import io.lamina.cvmfs.catalog.Counters;
import io.lamina.cvmfs.compression.CompressedObject;
import io.lamina.cvmfs.compression.Decompression;
import io.lamina.storage.ObjectStore;
import io.lamina.storage.StorageException;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;

/**
 * Decompressed catalogs by their hash: from memory if they were used lately, else from the store,
 * verified. Holds at most so many bytes. Thread-safe; the arrays must not be changed.
 */
final class CatalogStore {
  private static final int MAX_TOTALS = 50_000;

  /** Where the stored bytes of catalogs come from. */
  @FunctionalInterface
  interface Objects {
    /**
     * @throws RepositoryException.Corrupt if there is none
     */
    byte[] read(ContentHash hash, int maxBytes);
  }

  private final Objects objects;
  private final long maxCachedBytes;
  private final KnownTotals told;
  private final LinkedHashMap<ContentHash, byte[]> cache = new LinkedHashMap<>(64, 0.75f, true);
  private long cachedBytes;

  /** What grafts said of their catalogs: to take one away again its object is not needed. */
  private final Map<ContentHash, Counters> totals =
      new LinkedHashMap<>(64, 0.75f, true) {
        @Override
        protected boolean removeEldestEntry(Map.Entry<ContentHash, Counters> eldest) {
          return size() > MAX_TOTALS;
        }
      };

  CatalogStore(ObjectStore store, long maxCachedBytes) {
    this(store, maxCachedBytes, KnownTotals.NONE);
  }

  CatalogStore(ObjectStore store, long maxCachedBytes, KnownTotals told) {
    this((hash, maxBytes) -> read(store, hash, maxBytes), maxCachedBytes, told);
  }

  CatalogStore(Objects objects, long maxCachedBytes, KnownTotals told) {
    this.objects = objects;
    this.maxCachedBytes = maxCachedBytes;
    this.told = told;
  }

  /**
   * @throws RepositoryException.Corrupt if it is missing, or not what its hash promises
   */
  byte[] read(ContentHash hash) {
    synchronized (cache) {
      byte[] known = cache.get(hash);
      if (known != null) {
        return known;
      }
    }
    byte[] database = fetch(hash);
    keep(hash, database);
    return database;
  }

  /** Remembers a catalog that was just written. */
  void keep(ContentHash hash, byte[] database) {
    synchronized (cache) {
      byte[] before = cache.put(hash, database);
      cachedBytes += database.length - (before == null ? 0 : before.length);
      var eldest = cache.entrySet().iterator();
      while (cachedBytes > maxCachedBytes && eldest.hasNext()) {
        Map.Entry<ContentHash, byte[]> entry = eldest.next();
        cachedBytes -= entry.getValue().length;
        eldest.remove();
      }
    }
  }

  /** Remembers what a catalog and all below it count. */
  void keepTotal(ContentHash hash, Counters total) {
    synchronized (totals) {
      totals.put(hash, total);
    }
  }

  /** What a catalog and all below it count; read from it unless a graft has said it lately. */
  Counters total(ContentHash hash) {
    Optional<Counters> said = told.of(hash);
    if (said.isPresent()) {
      return said.get();
    }
    synchronized (totals) {
      Counters known = totals.get(hash);
      if (known != null) {
        return known;
      }
    }
    try (CatalogReader reader = CatalogReader.open(read(hash))) {
      return reader.total();
    }
  }

  void forget(ContentHash hash) {
    synchronized (cache) {
      byte[] before = cache.remove(hash);
      cachedBytes -= before == null ? 0 : before.length;
    }
  }

  private byte[] fetch(ContentHash hash) {
    try {
      byte[] stored = objects.read(hash, RepositoryFiles.MAX_CATALOG_BYTES);
      ContentHash actual = CompressedObject.ofStored(stored, hash.algorithm()).hash();
      if (!Arrays.equals(actual.digest(), hash.digest())) {
        throw new RepositoryException.Corrupt(
            "catalog " + hash + " in the store has the content of " + actual, null);
      }
      return Decompression.inflate(stored, RepositoryFiles.MAX_CATALOG_BYTES);
    } catch (CvmfsException.Corrupt e) {
      throw new RepositoryException.Corrupt("catalog " + hash + " is damaged", e);
    }
  }

  private static byte[] read(ObjectStore store, ContentHash hash, int maxBytes) {
    try {
      return store.read(RepositoryFiles.object(ObjectKind.CATALOG, hash), maxBytes);
    } catch (StorageException.NotFound e) {
      throw new RepositoryException.Corrupt(
          "catalog " + hash + " is named by the repository and is not in the store", e);
    }
  }
}
