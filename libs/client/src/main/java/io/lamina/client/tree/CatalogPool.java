package io.lamina.client.tree;

import io.lamina.client.cache.CachedObject;
import io.lamina.client.cache.ObjectKey;
import io.lamina.cvmfs.ContentHash;
import io.lamina.cvmfs.CvmfsException;
import io.lamina.cvmfs.ObjectKind;
import io.lamina.cvmfs.catalog.CatalogReader;
import io.lamina.cvmfs.catalog.NestedCatalog;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * Catalogs that are open, those used last, for all repositories. Each is read by one thread at a
 * time; one that somebody reads or waits for is not closed. Thread-safe.
 */
public final class CatalogPool implements AutoCloseable {
  private final int maxOpen;
  private final ReentrantLock lock = new ReentrantLock(); // guards slots and their users
  private final Map<ContentHash, Slot> slots = new LinkedHashMap<>(16, 0.75f, true);

  /**
   * @param maxOpen each costs a connection and up to 2 MB of SQLite's page cache
   */
  public CatalogPool(int maxOpen) {
    this.maxOpen = maxOpen;
  }

  /**
   * Reads in a catalog, which is fetched if need be.
   *
   * @throws CvmfsException.Corrupt if it is no catalog, or one of another path
   */
  public <T> T read(
      ObjectSource objects, NestedCatalog catalog, Function<CatalogReader, T> reading) {
    Slot slot = enter(catalog.hash());
    try {
      slot.lock.lock();
      try {
        return reading.apply(slot.reader(objects, catalog));
      } finally {
        slot.lock.unlock();
      }
    } finally {
      leave(catalog.hash(), slot);
    }
  }

  private Slot enter(ContentHash hash) {
    lock.lock();
    try {
      Slot slot = slots.computeIfAbsent(hash, _ -> new Slot());
      slot.users++;
      return slot;
    } finally {
      lock.unlock();
    }
  }

  private void leave(ContentHash hash, Slot slot) {
    lock.lock();
    try {
      slot.users--;
      if (slot.users == 0 && !slot.isOpen()) {
        slots.remove(hash, slot);
      }
      Iterator<Slot> oldestFirst = slots.values().iterator();
      while (slots.size() > maxOpen && oldestFirst.hasNext()) {
        Slot oldest = oldestFirst.next();
        if (oldest.users == 0) {
          oldestFirst.remove();
          oldest.close();
        }
      }
    } finally {
      lock.unlock();
    }
  }

  /** How many are open now. */
  public int open() {
    lock.lock();
    try {
      return slots.size();
    } finally {
      lock.unlock();
    }
  }

  @Override
  public void close() {
    lock.lock();
    try {
      slots
          .values()
          .removeIf(
              slot -> {
                if (slot.users == 0) {
                  slot.close();
                }
                return slot.users == 0;
              });
    } finally {
      lock.unlock();
    }
  }

  /** A catalog and the cached file in which it lies; its lock lets one thread read. */
  private static final class Slot {
    final ReentrantLock lock = new ReentrantLock();
    int users; // guarded by the pool's lock
    private volatile @Nullable CachedObject object;
    private @Nullable CatalogReader reader;

    boolean isOpen() {
      return object != null;
    }

    CatalogReader reader(ObjectSource objects, NestedCatalog catalog) {
      CatalogReader open = reader;
      if (open == null) {
        open = open(objects, catalog);
      }
      if (!open.mount().equals(catalog.path())) {
        throw new CvmfsException.Corrupt(
            "root prefix mismatch of catalog "
                + catalog.hash()
                + "; expected "
                + catalog.path()
                + ", got "
                + open.mount());
      }
      return open;
    }

    private CatalogReader open(ObjectSource objects, NestedCatalog catalog) {
      CachedObject content =
          objects.open(
              ObjectKey.compressed(catalog.hash(), ObjectKind.CATALOG), catalog.sizeBytes());
      try {
        CatalogReader opened = CatalogReader.open(content.file());
        reader = opened;
        object = content;
        return opened;
      } catch (RuntimeException e) {
        content.close();
        throw e;
      }
    }

    void close() {
      CatalogReader open = reader;
      CachedObject content = object;
      reader = null;
      object = null;
      try {
        if (open != null) {
          open.close();
        }
      } finally {
        if (content != null) {
          content.close();
        }
      }
    }
  }
}
