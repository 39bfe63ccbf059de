package io.lamina.converter.work;

import io.lamina.converter.StoredFiles;
import io.lamina.converter.StoredObjects;
import io.lamina.converter.flat.FlatMerger;
import io.lamina.converter.flat.FlatWork;
import io.lamina.converter.flat.MergedImage;
import io.lamina.converter.layer.ObjectPipeline;
import io.lamina.cvmfs.ContentHash;
import io.lamina.cvmfs.CvmfsException;
import io.lamina.cvmfs.ObjectKind;
import io.lamina.cvmfs.compression.CompressedObject;
import io.lamina.cvmfs.compression.Decompression;
import io.lamina.image.manifest.ImageConfig;
import io.lamina.messaging.event.Event.FlatMerged;
import io.lamina.messaging.event.Event.FlatRequested;
import io.lamina.repository.RepositoryLayout;
import io.lamina.storage.ObjectKey;
import io.lamina.storage.ObjectStore;

/** Merges images by the catalogs that lie in their repository's store. Thread-safe. */
public final class CatalogMerges implements FlatMerging {
  /** The longest catalog object that is read back, and what it may unpack to. */
  private static final int MAX_STORED_BYTES = 256 << 20;

  private static final int MAX_CATALOG_BYTES = 512 << 20;

  private final ObjectPipeline pipeline;
  private final int maxEntries;

  /**
   * @param pipeline not closed here
   * @param maxEntries bound on the entries of an image
   */
  public CatalogMerges(ObjectPipeline pipeline, int maxEntries) {
    this.pipeline = pipeline;
    this.maxEntries = maxEntries;
  }

  @Override
  public FlatMerged merge(FlatRequested work, ObjectStore store, Jobs.Progress progress)
      throws InterruptedException {
    byte[] config = StoredFiles.read(store, work.config(), ImageConfig.MAX_BYTES);
    FlatMerger merger = new FlatMerger(pipeline, hash -> catalog(store, hash), maxEntries);
    MergedImage merged =
        merger.merge(
            new FlatWork(
                work.layers(),
                config,
                RepositoryLayout.flat(work.imageId().hex()),
                work.timestampSeconds()),
            StoredObjects.into(store));
    progress.at(1, 1);
    return new FlatMerged(work.repository(), work.imageId(), merged.graft(), merged.figures());
  }

  private static byte[] catalog(ObjectStore store, ContentHash hash) {
    ObjectKey key = new ObjectKey(ObjectKind.CATALOG.pathOf(hash));
    byte[] stored = store.read(key, MAX_STORED_BYTES);
    ContentHash actual = CompressedObject.ofStored(stored, hash.algorithm()).hash();
    if (!actual.equals(hash)) {
      throw new CvmfsException.Corrupt("object " + key + " has bytes that hash to " + actual);
    }
    return Decompression.inflate(stored, MAX_CATALOG_BYTES);
  }
}
