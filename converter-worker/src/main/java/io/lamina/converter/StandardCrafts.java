package io.lamina.converter;

import io.lamina.converter.flat.FlatMerger;
import io.lamina.converter.layer.ConvertedLayer;
import io.lamina.converter.layer.LayerConverter;
import io.lamina.converter.layer.LayerWork;
import io.lamina.converter.layer.ObjectPipeline;
import io.lamina.converter.layer.ObjectSink;
import io.lamina.converter.layer.PipelineSettings;
import io.lamina.converter.thin.PublishedThinImages;
import io.lamina.converter.work.Jobs;
import io.lamina.cvmfs.ContentHash;
import io.lamina.cvmfs.CvmfsException;
import io.lamina.cvmfs.ObjectKind;
import io.lamina.cvmfs.catalog.Graft;
import io.lamina.cvmfs.compression.CompressedObject;
import io.lamina.cvmfs.compression.Decompression;
import io.lamina.cvmfs.tree.FileTree;
import io.lamina.image.layer.LayerLimits;
import io.lamina.image.manifest.ImageConfig;
import io.lamina.image.thin.ThinImagePusher;
import io.lamina.messaging.event.Event.FlatMerged;
import io.lamina.messaging.event.Event.FlatRequested;
import io.lamina.messaging.event.Event.LayerConverted;
import io.lamina.messaging.event.Event.LayerRequested;
import io.lamina.messaging.event.WorkFigures;
import io.lamina.repository.RepositoryLayout;
import io.lamina.storage.ObjectKey;
import io.lamina.storage.ObjectStore;
import java.io.InputStream;
import java.lang.management.ManagementFactory;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The crafts of a converter with this software's own tools: one pipeline for all layers, one merger.
 * Thread-safe; close it after the process that uses it.
 */
public final class StandardCrafts implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(StandardCrafts.class);

  /** The longest catalog object that is read back. */
  private static final int MAX_CATALOG_OBJECT_BYTES = 256 << 20;

  private static final int MAX_CATALOG_BYTES = 512 << 20;

  private final ObjectPipeline pipeline;
  private final LayerConverter converter;
  private final FlatMerger merger;
  private final ThinImagePusher pusher;

  public StandardCrafts(PipelineSettings settings, LayerLimits limits, ThinImagePusher pusher) {
    this.pipeline = new ObjectPipeline(settings);
    this.converter = new LayerConverter(pipeline, limits);
    this.merger = new FlatMerger(settings.compression(), FileTree.DEFAULT_MAX_ENTRIES);
    this.pusher = pusher;
  }

  public ConverterProcess.Crafts crafts() {
    return new ConverterProcess.Crafts(this::convert, this::merge, new PublishedThinImages(pusher));
  }

  private LayerConverted convert(
      LayerRequested work, InputStream blob, ObjectSink sink, Jobs.Progress progress)
      throws InterruptedException {
    String digest = work.layer().blob().digest().hex();
    long size = work.layer().blob().sizeBytes();
    ConvertedLayer converted =
        converter.convert(
            new LayerWork(work.layer(), RepositoryLayout.layer(digest), work.timestampSeconds()),
            blob,
            sink,
            done -> progress.at(done, size));
    converted
        .report()
        .counts()
        .forEach(
            (decision, count) ->
                LOG.atInfo()
                    .addKeyValue("repository", work.repository())
                    .addKeyValue("digest", work.layer().blob().digest())
                    .addKeyValue("decision", decision)
                    .addKeyValue("entries", count)
                    .log("entries that a CVMFS layer cannot hold as they are"));
    return new LayerConverted(
        work.repository(), work.layer(), converted.graft(), converted.figures());
  }

  private FlatMerged merge(FlatRequested work, ObjectStore store, Jobs.Progress progress) {
    long startNanos = System.nanoTime();
    long startCpuNanos = cpuNanos();
    byte[] config = StoredFiles.read(store, work.config(), ImageConfig.MAX_BYTES);
    FlatMerger.Merged merged =
        merger.merge(
            work.layers(),
            hash -> catalog(store, hash),
            config,
            RepositoryLayout.flat(work.imageId().hex()),
            work.timestampSeconds(),
            StoredObjects.into(store));
    long unpackedBytes = 0;
    for (Graft layer : work.layers()) {
      unpackedBytes += layer.total().fileSize();
    }
    progress.at(unpackedBytes, unpackedBytes);
    return new FlatMerged(
        work.repository(),
        work.imageId(),
        merged.graft(),
        new WorkFigures(
            0,
            unpackedBytes,
            merged.entries(),
            merged.catalogs(),
            merged.newCatalogs(),
            merged.newBytes(),
            cpuNanos() - startCpuNanos,
            System.nanoTime() - startNanos));
  }

  private static byte[] catalog(ObjectStore store, ContentHash hash) {
    ObjectKey key = new ObjectKey(ObjectKind.CATALOG.pathOf(hash));
    byte[] stored = store.read(key, MAX_CATALOG_OBJECT_BYTES);
    ContentHash actual = CompressedObject.ofStored(stored, hash.algorithm()).hash();
    if (!actual.equals(hash)) {
      throw new CvmfsException.Corrupt("object " + key + " has bytes that hash to " + actual);
    }
    return Decompression.inflate(stored, MAX_CATALOG_BYTES);
  }

  private static long cpuNanos() {
    return ManagementFactory.getThreadMXBean().getCurrentThreadCpuTime();
  }

  @Override
  public void close() {
    merger.close();
    pipeline.close();
  }
}
