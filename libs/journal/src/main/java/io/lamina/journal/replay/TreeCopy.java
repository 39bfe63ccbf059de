package io.lamina.journal.replay;

import io.lamina.cvmfs.ContentHash;
import io.lamina.cvmfs.CvmfsException;
import io.lamina.cvmfs.HashAlgorithm;
import io.lamina.cvmfs.ObjectKind;
import io.lamina.cvmfs.RepositoryPath;
import io.lamina.cvmfs.catalog.CatalogEntry;
import io.lamina.cvmfs.catalog.CatalogFlags;
import io.lamina.cvmfs.catalog.CatalogReader;
import io.lamina.cvmfs.catalog.CatalogRow;
import io.lamina.cvmfs.catalog.Chunk;
import io.lamina.cvmfs.catalog.NestedCatalog;
import io.lamina.cvmfs.reader.OpenCatalog;
import io.lamina.cvmfs.reader.VerifiedObjects;
import io.lamina.journal.JournalException;
import io.lamina.repository.ObjectUploads;
import io.lamina.storage.ObjectStore.PutOutcome;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Semaphore;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.BiConsumer;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;

/**
 * Copies trees and files into a repository's store: what is there is left alone, what is missing
 * comes from the sources. A tree's catalogs are stored after all that they name is durable, the
 * lowest first: so whoever finds a catalog there finds all below it, and what was interrupted goes
 * on where it was. Thread-safe, one call at a time.
 */
public final class TreeCopy implements AutoCloseable {
  private static final int MAX_NESTING = 64;
  private static final int TREES_AT_ONCE = 8;

  private final ObjectSources sources;
  private final ObjectUploads target;
  private final Presence presence;
  private final BooleanSupplier stopped;
  private final Semaphore permits;
  private final Semaphore treePermits = new Semaphore(TREES_AT_ONCE);
  private final ExecutorService threads;
  private final CopyFigures figures;

  /** Says what need not be copied. */
  @FunctionalInterface
  public interface Presence {
    boolean isThere(ObjectKind kind, ContentHash hash);
  }

  /**
   * @param presence of a catalog, that all that it names is there too
   * @param objectsAtOnce how many objects are copied at the same time
   * @param stopped whether to end early; then {@link Stopped} is thrown
   * @param figures to be added to
   */
  public TreeCopy(
      ObjectSources sources,
      ObjectUploads target,
      Presence presence,
      int objectsAtOnce,
      BooleanSupplier stopped,
      CopyFigures figures) {
    this.figures = figures;
    this.sources = sources;
    this.target = target;
    this.presence = presence;
    this.stopped = stopped;
    this.permits = new Semaphore(objectsAtOnce);
    this.threads =
        Executors.newThreadPerTaskExecutor(Thread.ofVirtual().name("copy-", 0).factory());
  }

  /** Somebody asked to stop. */
  public static final class Stopped extends RuntimeException {
    private static final long serialVersionUID = 1L;
  }

  /** A catalog that waits until all that it names is durable. */
  record Waiting(int depth, ContentHash hash, HeldObject object) {}

  /**
   * Copies these; what no source has is returned, and no catalog of a tree that lacks something.
   */
  public List<MissingObject> copy(List<Needed> wanted) {
    Batch batch = new Batch();
    try {
      for (Needed needed : wanted) {
        batch.start(needed);
      }
      batch.await();
      store(batch.catalogs);
      return List.copyOf(batch.missing);
    } finally {
      batch.close();
    }
  }

  private final class Batch implements AutoCloseable {
    private final Queue<MissingObject> missing = new ConcurrentLinkedQueue<>();
    private final Queue<Waiting> catalogs = new ConcurrentLinkedQueue<>();
    private final AtomicReference<@Nullable Throwable> failure = new AtomicReference<>();

    void start(Needed needed) {
      checkGoingOn();
      acquire(treePermits);
      threads.execute(
          () -> {
            try {
              if (failure.get() == null) {
                new Tree(needed).copy();
              }
            } catch (Throwable t) { // the thread's top
              failure.compareAndSet(null, t);
            } finally {
              treePermits.release();
            }
          });
    }

    private void checkGoingOn() {
      if (stopped.getAsBoolean()) {
        throw new Stopped();
      }
      Throwable first = failure.get();
      if (first instanceof RuntimeException e) {
        throw e;
      }
      if (first instanceof Error e) {
        throw e;
      }
    }

    void await() {
      treePermits.acquireUninterruptibly(TREES_AT_ONCE);
      treePermits.release(TREES_AT_ONCE);
      checkGoingOn();
    }

    @Override
    public void close() {
      treePermits.acquireUninterruptibly(TREES_AT_ONCE);
      treePermits.release(TREES_AT_ONCE);
      catalogs.forEach(waiting -> waiting.object().close());
    }

    /** One tree or file, on a thread of its own; its objects on others. */
    private final class Tree {
      private final Needed needed;
      private final List<Waiting> held = new ArrayList<>();
      private final AtomicBoolean isWhole = new AtomicBoolean(true);
      private final Semaphore running = new Semaphore(MAX_RUNNING);
      private static final int MAX_RUNNING = 64;

      Tree(Needed needed) {
        this.needed = needed;
      }

      void copy() {
        try {
          if (needed.kind() == ObjectKind.CATALOG) {
            copyCatalog(needed.hash(), 0);
          } else {
            copyObject(needed.kind(), needed.hash());
          }
        } finally {
          running.acquireUninterruptibly(MAX_RUNNING);
        }
        if (isWhole.get() && failure.get() == null) {
          catalogs.addAll(held);
        } else {
          held.forEach(waiting -> waiting.object().close());
        }
      }

      private void copyCatalog(ContentHash hash, int depth) {
        if (depth > MAX_NESTING) {
          throw new JournalException.Corrupt(
              "catalogs are nested more than " + MAX_NESTING + " deep below " + needed.path());
        }
        if (presence.isThere(ObjectKind.CATALOG, hash)) {
          figures.present();
          return;
        }
        HeldObject object = fetch(ObjectKind.CATALOG, hash);
        if (object == null) {
          return;
        }
        held.add(new Waiting(depth, hash, object));
        List<NestedCatalog> nested;
        try (OpenCatalog catalog =
            new VerifiedObjects(object.asFiles(), sources.scratch()).openCatalog(hash, 0)) {
          forEachObject(catalog.reader(), needed.path(), this::startObject);
          nested = catalog.reader().nestedCatalogs();
        } catch (CvmfsException.Corrupt e) {
          throw new JournalException.Corrupt(
              "catalog " + hash + " below " + needed.path() + " is damaged: " + e.getMessage(), e);
        }
        nested.forEach(child -> copyCatalog(child.hash(), depth + 1));
      }

      private void startObject(ObjectKind kind, ContentHash hash) {
        checkGoingOn();
        acquire(running);
        threads.execute(
            () -> {
              try {
                if (failure.get() == null) {
                  copyObject(kind, hash);
                }
              } catch (Throwable t) { // the thread's top
                failure.compareAndSet(null, t);
              } finally {
                running.release();
              }
            });
      }

      private void copyObject(ObjectKind kind, ContentHash hash) {
        acquire(permits);
        try {
          if (presence.isThere(kind, hash)) {
            figures.present();
            return;
          }
          try (HeldObject object = fetch(kind, hash)) {
            if (object != null) {
              put(kind, hash, object);
            }
          }
        } finally {
          permits.release();
        }
      }

      private @Nullable HeldObject fetch(ObjectKind kind, ContentHash hash) {
        return switch (sources.fetch(kind, hash)) {
          case ObjectSources.Fetched.Found found -> found.object();
          case ObjectSources.Fetched.Missing nowhere -> {
            isWhole.set(false);
            missing.add(
                new MissingObject(needed.path(), needed.hash(), kind, hash, nowhere.reason()));
            yield null;
          }
        };
      }
    }
  }

  /** Stores catalogs level by level from below, each durable before the next. */
  void store(Collection<Waiting> catalogs) {
    Map<Integer, List<Waiting>> levels = new TreeMap<>(Comparator.reverseOrder());
    catalogs.forEach(
        waiting -> levels.computeIfAbsent(waiting.depth(), _ -> new ArrayList<>()).add(waiting));
    target.flush();
    levels
        .values()
        .forEach(
            level -> {
              level.forEach(waiting -> put(ObjectKind.CATALOG, waiting.hash(), waiting.object()));
              target.flush();
            });
  }

  /** Hands over the objects of all files of a catalog, those that are in chunks last. */
  static void forEachObject(
      CatalogReader catalog, RepositoryPath below, BiConsumer<ObjectKind, ContentHash> sink) {
    List<CatalogRow> chunked = new ArrayList<>();
    catalog.forEachRow(
        row -> {
          boolean isRegular =
              (row.mode() & CatalogEntry.TYPE_MASK) == CatalogEntry.REGULAR
                  && (row.flags() & CatalogFlags.EXTERNAL) == 0;
          byte @Nullable [] digest = row.hash();
          if (isRegular && row.isChunked()) {
            chunked.add(row);
          }
          if (isRegular && digest != null && digest.length > 0) {
            sink.accept(ObjectKind.FILE, ContentHash.of(algorithm(row, below), digest));
          }
        });
    for (CatalogRow row : chunked) {
      for (Chunk chunk : catalog.chunks(row.path(), algorithm(row, below))) {
        sink.accept(ObjectKind.CHUNK, chunk.hash());
      }
    }
  }

  private static HashAlgorithm algorithm(CatalogRow row, RepositoryPath below) {
    return CatalogFlags.hashAlgorithm(row.flags())
        .orElseThrow(
            () ->
                new JournalException.Corrupt(
                    "a catalog below " + below + " has an unknown hash algorithm"));
  }

  private void put(ObjectKind kind, ContentHash hash, HeldObject object) {
    if (target.put(kind, hash, object.content()) == PutOutcome.ALREADY_PRESENT) {
      figures.present();
      return;
    }
    figures.copied(object.content().sizeBytes());
  }

  private static void acquire(Semaphore semaphore) {
    try {
      semaphore.acquire();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new JournalException.Retryable("interrupted while copying objects", e);
    }
  }

  @Override
  public void close() {
    threads.close();
  }
}
