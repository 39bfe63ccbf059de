package io.lamina.standalone.remake;

import io.lamina.converter.StoredObjects;
import io.lamina.converter.layer.ObjectSink;
import io.lamina.cvmfs.ContentHash;
import io.lamina.cvmfs.ObjectKind;
import io.lamina.journal.JournalException;
import io.lamina.repository.ObjectUploads;
import io.lamina.storage.Content;
import io.lamina.storage.ObjectStore;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * Stores objects at once and keeps catalogs back until somebody has seen that they are the right
 * ones: a catalog that is in a store stands for all below it. Thread-safe.
 */
final class HeldCatalogs implements ObjectSink {
  /** Catalogs of one tree, in memory: several million entries. */
  private static final long MAX_BYTES = 512L << 20;

  private record Catalog(ContentHash hash, byte[] bytes) {}

  private final ObjectUploads uploads;
  private final ObjectSink objects;
  private final List<Catalog> catalogs = new ArrayList<>();
  private long heldBytes;

  HeldCatalogs(ObjectStore store) {
    this.uploads = new ObjectUploads(store);
    this.objects = StoredObjects.into(store);
  }

  @Override
  public boolean put(ObjectKind kind, ContentHash hash, byte[] bytes, int offset, int length) {
    if (kind != ObjectKind.CATALOG) {
      return objects.put(kind, hash, bytes, offset, length);
    }
    synchronized (this) {
      heldBytes += length;
      if (heldBytes > MAX_BYTES) {
        throw new JournalException.Rejected(
            "the catalogs of one tree have more than " + MAX_BYTES + " bytes");
      }
      catalogs.add(new Catalog(hash, Arrays.copyOfRange(bytes, offset, offset + length)));
      return true;
    }
  }

  @Override
  public void flush() {
    objects.flush();
  }

  /** Stores the catalogs, each after those that it names: they came in that order. */
  synchronized void release() {
    uploads.flush();
    for (Catalog catalog : catalogs) {
      uploads.put(ObjectKind.CATALOG, catalog.hash(), Content.of(catalog.bytes()));
      uploads.flush();
    }
  }
}
