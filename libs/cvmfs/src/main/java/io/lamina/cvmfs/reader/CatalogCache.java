package io.lamina.cvmfs.reader;

import io.lamina.cvmfs.ContentHash;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;

/**
 * Keeps the catalogs open that were used last, up to a number of bytes. Closing one that somebody
 * still reads is for the owner to prevent. Not thread-safe.
 */
final class CatalogCache implements AutoCloseable {
  /** Each has a connection of its own, which costs memory beside the catalog. */
  private static final int MAX_OPEN = 256;

  private final long maxBytes;
  private final Map<ContentHash, OpenCatalog> open = new LinkedHashMap<>(16, 0.75f, true);
  private long totalBytes;

  CatalogCache(long maxBytes) {
    this.maxBytes = maxBytes;
  }

  Optional<OpenCatalog> find(ContentHash hash) {
    return Optional.ofNullable(open.get(hash));
  }

  /** Takes the catalog over and closes others until it fits; itself it always keeps. */
  void add(ContentHash hash, OpenCatalog catalog) {
    totalBytes += catalog.sizeBytes();
    open.put(hash, catalog);
    Iterator<Map.Entry<ContentHash, OpenCatalog>> oldestFirst = open.entrySet().iterator();
    while ((totalBytes > maxBytes || open.size() > MAX_OPEN) && open.size() > 1) {
      OpenCatalog oldest = oldestFirst.next().getValue();
      oldestFirst.remove();
      totalBytes -= oldest.sizeBytes();
      oldest.close();
    }
  }

  @Override
  public void close() {
    open.values().forEach(OpenCatalog::close);
    open.clear();
    totalBytes = 0;
  }
}
