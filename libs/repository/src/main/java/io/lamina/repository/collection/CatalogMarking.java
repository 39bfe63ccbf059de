package io.lamina.repository.collection;

import io.lamina.cvmfs.ContentHash;
import io.lamina.cvmfs.CvmfsException;
import io.lamina.cvmfs.ObjectKind;
import io.lamina.cvmfs.catalog.CatalogReader;
import io.lamina.cvmfs.catalog.NestedCatalog;
import io.lamina.repository.RepositoryException;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Deque;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

/** Marks all that catalogs refer to, each catalog once, several at once. For one thread. */
final class CatalogMarking implements AutoCloseable {
  private static final int MAX_CATALOG_BYTES = 512 << 20;

  /** About a hundred bytes of memory each. */
  private static final int MAX_CATALOGS = 5_000_000;

  private static final int AT_ONCE = 256;

  private final StoredObjects objects;
  private final MarkedDigests marks;
  private final ExecutorService workers;
  private final Set<ContentHash> seen = new HashSet<>();

  CatalogMarking(StoredObjects objects, MarkedDigests marks, int threads) {
    this.objects = objects;
    this.marks = marks;
    this.workers =
        Executors.newFixedThreadPool(
            threads, Thread.ofPlatform().daemon().name("collection-", 0).factory());
  }

  /**
   * @throws RepositoryException.Corrupt if one is missing or damaged
   */
  void mark(Collection<ContentHash> roots) {
    Deque<ContentHash> next = new ArrayDeque<>();
    roots.stream().filter(this::isNew).forEach(next::add);
    while (!next.isEmpty()) {
      List<Future<List<ContentHash>>> under = new ArrayList<>();
      while (!next.isEmpty() && under.size() < AT_ONCE) {
        ContentHash catalog = next.remove();
        under.add(workers.submit(() -> read(catalog)));
      }
      for (Future<List<ContentHash>> one : under) {
        join(one).stream().filter(this::isNew).forEach(next::add);
      }
    }
  }

  long catalogs() {
    return seen.size();
  }

  private boolean isNew(ContentHash catalog) {
    if (seen.size() >= MAX_CATALOGS && !seen.contains(catalog)) {
      throw new RepositoryException.Rejected(
          "the repository has more than " + MAX_CATALOGS + " catalogs, too many to be collected");
    }
    return seen.add(catalog);
  }

  private List<ContentHash> read(ContentHash catalog) {
    byte[] database = objects.read(ObjectKind.CATALOG, catalog, MAX_CATALOG_BYTES);
    marks.add(catalog.digest());
    try (CatalogReader reader = CatalogReader.open(database)) {
      reader.forEachDigest(marks::add);
      return Stream.concat(reader.nestedCatalogs().stream(), reader.bindMountpoints().stream())
          .map(NestedCatalog::hash)
          .toList();
    } catch (CvmfsException e) {
      throw new RepositoryException.Corrupt(
          "catalog " + catalog + " cannot be read, so that nobody knows what it refers to", e);
    }
  }

  private static <T> T join(Future<T> result) {
    try {
      return result.get();
    } catch (ExecutionException e) {
      if (e.getCause() instanceof RuntimeException cause) {
        throw cause;
      }
      if (e.getCause() instanceof Error cause) {
        throw cause;
      }
      throw new IllegalStateException("reading a catalog failed", e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new RepositoryException.Retryable("interrupted while reading catalogs", e);
    }
  }

  @Override
  public void close() {
    workers.shutdownNow();
    try {
      if (!workers.awaitTermination(1, TimeUnit.MINUTES)) {
        throw new RepositoryException.Retryable("catalogs are still being read", null);
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
