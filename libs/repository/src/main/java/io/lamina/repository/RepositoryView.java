package io.lamina.repository;

import io.lamina.cvmfs.ContentHash;
import io.lamina.cvmfs.CvmfsException;
import io.lamina.cvmfs.RepositoryPath;
import io.lamina.cvmfs.catalog.CatalogEntry;
import io.lamina.cvmfs.catalog.CatalogReader;
import io.lamina.cvmfs.catalog.CatalogRow;
import io.lamina.cvmfs.catalog.Counters;
import io.lamina.cvmfs.catalog.Graft;
import io.lamina.cvmfs.catalog.NestedCatalog;
import io.lamina.cvmfs.signing.Manifest;
import io.lamina.storage.ObjectStore;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.BiFunction;
import java.util.function.Consumer;
import java.util.function.Predicate;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * What a repository shows at one revision, read from its catalogs. Thread-safe, one call at a time.
 *
 * <p>Every method throws {@link RepositoryException.Corrupt} where a catalog is missing or damaged.
 */
public final class RepositoryView implements AutoCloseable {
  private static final int MAX_OPEN_CATALOGS = 64;
  private static final int MAX_KNOWN_TOTALS = 20_000;
  private static final int MAX_DEPTH = 64;
  private static final int MAX_WALKED_CATALOGS = 1_000_000;
  private static final long CACHE_BYTES = 64L << 20;

  private final Supplier<Manifest> head;
  private final Supplier<ContentHash> root;
  private final CatalogStore catalogs;
  private final LinkedHashMap<ContentHash, CatalogReader> open =
      new LinkedHashMap<>(16, 0.75f, true);

  /** Counters by catalog: reading them again would mean to read a whole layer's catalog. */
  private final Map<ContentHash, Counters> totals =
      new LinkedHashMap<>(16, 0.75f, true) {
        @Override
        protected boolean removeEldestEntry(Map.Entry<ContentHash, Counters> eldest) {
          return size() > MAX_KNOWN_TOTALS;
        }
      };

  private @Nullable Manifest manifest;

  RepositoryView(ObjectStore store, Supplier<Manifest> head) {
    this(new CatalogStore(store, CACHE_BYTES), head);
  }

  RepositoryView(CatalogStore catalogs, Supplier<Manifest> head) {
    this.catalogs = catalogs;
    this.head = head;
    this.root = () -> manifest().rootCatalog();
  }

  /**
   * What another repository shows under a root catalog that the caller trusts. Such a view knows no
   * manifest but of its root.
   *
   * @param objects gives the stored bytes of a catalog, at most so many; they are compared with the
   *     hash here. Throws {@link RepositoryException.Corrupt} if there is none
   */
  public static RepositoryView ofRoot(
      ContentHash root, BiFunction<ContentHash, Integer, byte[]> objects) {
    return new RepositoryView(
        new CatalogStore(objects::apply, CACHE_BYTES, KnownTotals.NONE), root);
  }

  private RepositoryView(CatalogStore catalogs, ContentHash root) {
    this.catalogs = catalogs;
    this.root = () -> root;
    this.head =
        () -> {
          throw new IllegalStateException("this view was opened by a root catalog");
        };
  }

  /** The revision that the other methods look at: the first that was read, until refreshed. */
  public synchronized Manifest manifest() {
    if (manifest == null) {
      manifest = head.get();
    }
    return manifest;
  }

  /** From now on looks at the newest revision. */
  public synchronized void refresh() {
    manifest = head.get();
  }

  /** The entry at a path; a mountpoint shows as the directory that it is. */
  public synchronized Optional<CatalogEntry> lookup(RepositoryPath path) {
    CatalogReader host = hostOf(path, false);
    return host.lookup(path).map(host::entry);
  }

  /** The names of a directory's entries; none if there is no such directory. */
  public synchronized List<byte[]> list(RepositoryPath directory) {
    return hostOf(directory, true).list(directory).stream()
        .map(CatalogRow::name)
        .map(name -> name == null ? new byte[0] : name)
        .toList();
  }

  /** The nested catalog that hangs at exactly this path, with all that a graft says of it. */
  public synchronized Optional<Graft> graftAt(RepositoryPath path) {
    if (path.isRoot()) {
      return Optional.empty();
    }
    CatalogReader host = hostOf(path, false);
    Optional<NestedCatalog> nested = host.nestedAt(path);
    Optional<CatalogRow> row = host.lookup(path);
    if (nested.isEmpty() || row.isEmpty()) {
      return Optional.empty();
    }
    ContentHash hash = nested.get().hash();
    CatalogEntry root = host.entry(row.get());
    return Optional.of(new Graft(path, hash, nested.get().sizeBytes(), root, totalOf(hash)));
  }

  /** The hash of the nested catalog at exactly this path; costs no reading of it. */
  public synchronized Optional<ContentHash> catalogAt(RepositoryPath path) {
    return path.isRoot()
        ? Optional.of(root.get())
        : hostOf(path, false).nestedAt(path).map(NestedCatalog::hash);
  }

  /** Whether a nested catalog hangs at exactly this path; costs no reading of it. */
  public synchronized boolean isCatalog(RepositoryPath path) {
    return path.isRoot() || hostOf(path, false).nestedAt(path).isPresent();
  }

  /**
   * Hands over the root catalog and every catalog below it, each once for each place where it
   * hangs; the sink must not keep or close them.
   *
   * @param descends whether to go into the catalog that hangs at this path
   */
  public synchronized void forEachCatalog(
      Predicate<RepositoryPath> descends, Consumer<CatalogReader> sink) {
    Deque<ContentHash> next = new ArrayDeque<>(List.of(root.get()));
    for (int read = 0; !next.isEmpty(); read++) {
      if (read == MAX_WALKED_CATALOGS) {
        throw new RepositoryException.Corrupt(
            "more than " + MAX_WALKED_CATALOGS + " catalogs outside of layers", null);
      }
      CatalogReader catalog = reader(next.remove());
      sink.accept(catalog);
      for (NestedCatalog nested : catalog.nestedCatalogs()) {
        if (descends.test(nested.path())) {
          next.add(nested.hash());
        }
      }
    }
  }

  private Counters totalOf(ContentHash catalog) {
    Counters known = totals.get(catalog);
    if (known == null) {
      try (CatalogReader reader = CatalogReader.open(catalogs.read(catalog))) {
        known = reader.total();
      } catch (CvmfsException.Corrupt e) {
        throw new RepositoryException.Corrupt("catalog " + catalog + " is damaged", e);
      }
      totals.put(catalog, known);
    }
    return known;
  }

  /** The catalog that has the path's row, or with {@code inside} the rows below it. */
  private CatalogReader hostOf(RepositoryPath path, boolean inside) {
    ContentHash hash = root.get();
    for (int depth = 0; depth < MAX_DEPTH; depth++) {
      CatalogReader catalog = reader(hash);
      RepositoryPath searched = inside || path.isRoot() ? path : path.parent();
      Optional<NestedCatalog> nested =
          searched.startsWith(catalog.mount()) ? catalog.nestedAbove(searched) : Optional.empty();
      if (nested.isEmpty()) {
        return catalog;
      }
      hash = nested.get().hash();
    }
    throw new RepositoryException.Corrupt(
        "catalogs are nested more than " + MAX_DEPTH + " deep above " + path, null);
  }

  private CatalogReader reader(ContentHash hash) {
    CatalogReader known = open.get(hash);
    if (known != null) {
      return known;
    }
    try {
      CatalogReader reader = CatalogReader.open(catalogs.read(hash));
      open.put(hash, reader);
      if (open.size() > MAX_OPEN_CATALOGS) {
        var eldest = open.entrySet().iterator();
        eldest.next().getValue().close();
        eldest.remove();
      }
      return reader;
    } catch (CvmfsException.Corrupt | CvmfsException.Rejected e) {
      throw new RepositoryException.Corrupt("catalog " + hash + " cannot be read", e);
    }
  }

  @Override
  public synchronized void close() {
    open.values().forEach(CatalogReader::close);
    open.clear();
  }
}
