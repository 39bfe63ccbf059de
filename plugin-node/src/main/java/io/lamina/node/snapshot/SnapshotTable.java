package io.lamina.node.snapshot;

import io.lamina.node.snapshot.SnapshotInfo.Kind;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * All snapshots by name, who lies on whom, and names that are about to be used. Nothing here waits
 * for a disk. Thread-safe: one lock, the monitor.
 */
final class SnapshotTable {
  private final SortedMap<String, Entry> entries = new TreeMap<>();
  private final Set<String> reserved = new HashSet<>();

  /** One snapshot while the service runs. */
  static final class Entry {
    /** Held for as long as something about the snapshot changes. */
    private final ReentrantLock lock = new ReentrantLock();

    private final @Nullable Entry parent;
    private volatile SnapshotRecord record;

    // Guarded by the table's monitor.
    private int children;
    private volatile boolean gone;

    private Entry(SnapshotRecord record, @Nullable Entry parent) {
      this.record = record;
      this.parent = parent;
    }

    SnapshotRecord record() {
      return record;
    }

    Optional<Entry> parent() {
      return Optional.ofNullable(parent);
    }

    /**
     * Waits for whoever changes it.
     *
     * @throws SnapshotException.NotFound if it was removed meanwhile
     * @throws SnapshotException.Unavailable if this thread is interrupted
     */
    Held held() {
      try {
        lock.lockInterruptibly();
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        throw new SnapshotException.Unavailable(
            "interrupted while waiting for snapshot " + record.info().name(), e);
      }
      if (gone) {
        lock.unlock();
        throw missing(record.info().name());
      }
      return lock::unlock;
    }
  }

  /** A lock that is held. */
  interface Held extends AutoCloseable {
    @Override
    void close();
  }

  /** A name that nobody else gets, and a parent that stays, until this is closed. */
  final class Reservation implements AutoCloseable {
    private final String name;
    private final @Nullable Entry parent;
    private boolean open = true;

    private Reservation(String name, @Nullable Entry parent) {
      this.name = name;
      this.parent = parent;
    }

    Optional<Entry> parent() {
      return Optional.ofNullable(parent);
    }

    /** Shows the snapshot; its name may be the reserved one or another free one. */
    void publish(SnapshotRecord record) {
      synchronized (SnapshotTable.this) {
        entries.put(record.info().name(), new Entry(record, parent));
        reserved.remove(name);
        open = false;
      }
    }

    /** Shows a snapshot that was there under the reserved name from now on. */
    void rename(Entry entry, SnapshotRecord record) {
      synchronized (SnapshotTable.this) {
        entries.remove(entry.record.info().name());
        entry.record = record;
        entries.put(name, entry);
      }
    }

    @Override
    public void close() {
      synchronized (SnapshotTable.this) {
        if (open) {
          open = false;
          reserved.remove(name);
          if (parent != null) {
            parent.children--;
          }
        }
      }
    }
  }

  static SnapshotException.NotFound missing(String name) {
    return new SnapshotException.NotFound("there is no snapshot " + SnapshotLabels.printable(name));
  }

  /** Adds what was found on the disk; a parent that is missing is left out. */
  synchronized void addLoaded(List<SnapshotRecord> records) {
    SortedMap<String, SnapshotRecord> open = new TreeMap<>();
    records.forEach(record -> open.put(record.info().name(), record));
    while (!open.isEmpty()) {
      List<SnapshotRecord> chain = new ArrayList<>();
      SnapshotRecord next = open.get(open.firstKey());
      while (next != null) {
        open.remove(next.info().name());
        chain.add(next);
        next = open.get(next.info().parent());
      }
      for (SnapshotRecord record : chain.reversed()) {
        Entry parent = entries.get(record.info().parent());
        if (parent != null) {
          parent.children++;
        }
        entries.put(record.info().name(), new Entry(record, parent));
      }
    }
  }

  /**
   * @throws SnapshotException.NotFound if there is none
   */
  synchronized Entry require(String name) {
    Entry entry = entries.get(name);
    if (entry == null || entry.gone) {
      throw missing(name);
    }
    return entry;
  }

  /** Those that fit, by name. */
  synchronized List<SnapshotRecord> all(Predicate<SnapshotRecord> wanted) {
    return entries.values().stream()
        .filter(entry -> !entry.gone)
        .map(Entry::record)
        .filter(wanted)
        .toList();
  }

  /**
   * Keeps a name for a snapshot that is being made.
   *
   * @param parent name of a committed snapshot; empty for none
   * @throws SnapshotException.AlreadyExists if the name is taken
   * @throws SnapshotException.NotFound if there is no such parent
   * @throws SnapshotException.Invalid if the parent is not committed
   */
  synchronized Reservation reserve(String name, String parent) {
    Entry below = parent.isEmpty() ? null : require(parent);
    if (below != null && below.record.info().kind() != Kind.COMMITTED) {
      throw new SnapshotException.Invalid(
          "parent " + SnapshotLabels.printable(parent) + " is not a committed snapshot");
    }
    reserveName(name);
    if (below != null) {
      below.children++;
    }
    return new Reservation(name, below);
  }

  /** Keeps a name for a snapshot that is there already. */
  synchronized Reservation reserve(String name) {
    reserveName(name);
    return new Reservation(name, null);
  }

  private void reserveName(String name) {
    if (entries.containsKey(name) || !reserved.add(name)) {
      throw new SnapshotException.AlreadyExists(
          "snapshot " + SnapshotLabels.printable(name) + " exists already");
    }
  }

  synchronized boolean isFree(String name) {
    return !entries.containsKey(name) && !reserved.contains(name);
  }

  /** To be called with the snapshot held. */
  synchronized void replace(Entry entry, SnapshotRecord record) {
    entry.record = record;
  }

  /**
   * Takes a snapshot out of sight, its name still being taken. To be called with it held.
   *
   * @throws SnapshotException.FailedPrecondition if others lie on it
   */
  synchronized void retire(Entry entry) {
    if (entry.children > 0) {
      throw new SnapshotException.FailedPrecondition(
          "cannot remove snapshot "
              + SnapshotLabels.printable(entry.record.info().name())
              + ": "
              + entry.children
              + " others lie on it");
    }
    entry.gone = true;
  }

  /** Undoes {@link #retire}. */
  synchronized void restore(Entry entry) {
    entry.gone = false;
  }

  synchronized void forget(Entry entry) {
    entries.remove(entry.record.info().name(), entry);
    if (entry.parent != null) {
      entry.parent.children--;
    }
  }
}
