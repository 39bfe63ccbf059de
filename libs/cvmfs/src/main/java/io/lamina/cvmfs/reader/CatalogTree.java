package io.lamina.cvmfs.reader;

import io.lamina.cvmfs.ContentHash;
import io.lamina.cvmfs.CvmfsException;
import io.lamina.cvmfs.RepositoryPath;
import io.lamina.cvmfs.catalog.CatalogReader;
import io.lamina.cvmfs.catalog.NestedCatalog;
import java.util.Optional;

/**
 * Finds the catalog that describes a path, opening nested ones on the way as they are needed. Not
 * thread-safe; what it returns is valid until the next call.
 *
 * <p>Source: docs/format/catalogs.md, "Nested catalogs".
 */
final class CatalogTree implements AutoCloseable {
  private final VerifiedObjects objects;
  private final NestedCatalog root;
  private final CatalogCache cache;

  CatalogTree(VerifiedObjects objects, ContentHash root, long rootSizeBytes, long cacheBytes) {
    this.objects = objects;
    this.root = new NestedCatalog(RepositoryPath.ROOT, root, rootSizeBytes);
    this.cache = new CatalogCache(cacheBytes);
  }

  /** The catalog that holds the path's row; of a mountpoint that of its parent. */
  CatalogReader holding(RepositoryPath path) {
    CatalogReader catalog = load(root);
    while (true) {
      Optional<NestedCatalog> nested = catalog.nestedAbove(path);
      if (nested.isEmpty() || nested.get().path().equals(path)) {
        return catalog;
      }
      catalog = load(nested.get());
    }
  }

  /** The catalog that holds the rows of the directory's entries. */
  CatalogReader listing(RepositoryPath directory) {
    CatalogReader catalog = load(root);
    while (true) {
      Optional<NestedCatalog> nested = catalog.nestedAbove(directory);
      if (nested.isEmpty()) {
        return catalog;
      }
      catalog = load(nested.get());
    }
  }

  /** The catalog hangs deeper than the one that names it, so both loops end. */
  private CatalogReader load(NestedCatalog catalog) {
    Optional<OpenCatalog> known = cache.find(catalog.hash());
    if (known.isPresent()) {
      return requireMount(known.get(), catalog).reader();
    }
    OpenCatalog opened = objects.openCatalog(catalog.hash(), catalog.sizeBytes());
    try {
      requireMount(opened, catalog);
    } catch (CvmfsException e) {
      opened.close();
      throw e;
    }
    cache.add(catalog.hash(), opened);
    return opened.reader();
  }

  private static OpenCatalog requireMount(OpenCatalog opened, NestedCatalog catalog) {
    RepositoryPath mount = opened.reader().mount();
    if (!mount.equals(catalog.path())) {
      throw new CvmfsException.Corrupt(
          "root prefix mismatch of catalog "
              + catalog.hash()
              + "; expected "
              + catalog.path()
              + ", got "
              + mount);
    }
    return opened;
  }

  @Override
  public void close() {
    cache.close();
  }
}
