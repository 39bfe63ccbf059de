package io.lamina.client.tree;

import io.lamina.client.cache.CachedObject;
import io.lamina.client.cache.ObjectCache;
import io.lamina.client.cache.ObjectKey;
import io.lamina.client.cache.StagedObject;
import io.lamina.client.failure.ClientException;
import io.lamina.client.net.Servers;
import io.lamina.cvmfs.CvmfsException;
import io.lamina.cvmfs.reader.RepositoryFiles;
import io.lamina.cvmfs.reader.VerifiedObjects;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.concurrent.Semaphore;
import java.util.concurrent.atomic.LongAdder;

/** A repository's objects: from the cache, else from its servers. Thread-safe. */
public final class ObjectSource {
  /** Objects that are fetched before they are asked for, at once; beyond, none is. */
  private static final int MAX_AHEAD = 4;

  private final ObjectCache cache;
  private final Servers servers;
  private final Semaphore ahead = new Semaphore(MAX_AHEAD);
  private final LongAdder fetched = new LongAdder();
  private final LongAdder fetchedBytes = new LongAdder();

  public ObjectSource(ObjectCache cache, Servers servers) {
    this.cache = cache;
    this.servers = servers;
  }

  /**
   * The verified content; the caller closes it.
   *
   * @param sizeBytes exact length of the content; 0 or less if it is not known, for catalogs
   * @throws CvmfsException if no server has it, or only damaged ones
   * @throws ClientException if the cache cannot hold it
   */
  public CachedObject open(ObjectKey key, long sizeBytes) {
    boolean isKnown =
        switch (key.kind()) {
          case FILE, CHUNK -> true;
          case CATALOG, HISTORY, CERTIFICATE, METAINFO -> sizeBytes > 0;
        };
    return cache.acquire(
        key, isKnown ? sizeBytes : -1, target -> fetch(key, isKnown ? sizeBytes : -1, target));
  }

  /** Fetches it in the background if it is not here and little else is fetched in that way. */
  void fetchAhead(ObjectKey key, long sizeBytes) {
    if (cache.isKnown(key) || !ahead.tryAcquire()) {
      return;
    }
    Thread.ofVirtual()
        .name("lamina-fetch-ahead")
        .start(
            () -> {
              try {
                open(key, sizeBytes).close();
              } catch (CvmfsException | ClientException e) {
                // Who reads it is told: it is tried again then.
              } finally {
                ahead.release();
              }
            });
  }

  private void fetch(ObjectKey key, long sizeBytes, StagedObject target) throws IOException {
    try {
      long length =
          servers.attempt(
              files -> {
                try {
                  target.restart();
                  return copy(files, key, sizeBytes, target);
                } catch (IOException e) {
                  throw new UncheckedIOException(e);
                }
              });
      fetched.increment();
      fetchedBytes.add(length);
    } catch (UncheckedIOException e) {
      throw e.getCause();
    }
  }

  private long copy(RepositoryFiles files, ObjectKey key, long sizeBytes, StagedObject target)
      throws IOException {
    VerifiedObjects objects = new VerifiedObjects(files, cache.staging());
    if (sizeBytes < 0) {
      return objects.copyUpTo(key.hash(), key.kind(), VerifiedObjects.MAX_CATALOG_BYTES, target);
    }
    objects.copyTo(key.hash(), key.kind(), key.compression(), sizeBytes, target);
    return sizeBytes;
  }

  /** How many objects came from servers. */
  public long fetched() {
    return fetched.sum();
  }

  /** Their content, uncompressed. */
  public long fetchedBytes() {
    return fetchedBytes.sum();
  }
}
