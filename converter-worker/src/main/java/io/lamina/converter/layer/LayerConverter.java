package io.lamina.converter.layer;

import io.lamina.converter.layer.ConversionReport.Decision;
import io.lamina.cvmfs.catalog.Graft;
import io.lamina.cvmfs.tree.FileTree;
import io.lamina.image.ImageException;
import io.lamina.image.layer.LayerEntry;
import io.lamina.image.layer.LayerLimits;
import io.lamina.image.layer.LayerReader;
import io.lamina.messaging.event.WorkFigures;
import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.lang.management.ManagementFactory;
import java.util.Optional;
import java.util.concurrent.CancellationException;
import java.util.function.LongConsumer;

/**
 * Converts one layer: one pass over its blob, out of which come stored file objects and the nested
 * catalog of the layer's final path. The result depends on the layer, the mount path, the recorded
 * time and the pipeline's settings alone; threads and timing leave no trace.
 *
 * <p>Memory: the pipeline's buffers and some hundred bytes an entry. Thread-safe; several layers
 * may be converted at once.
 *
 * <p>Source: docs/conversion.md.
 */
public final class LayerConverter {
  private static final long PROGRESS_BYTES = 1 << 20;

  private final ObjectPipeline pipeline;
  private final LayerLimits limits;

  /**
   * @param pipeline not closed here
   */
  public LayerConverter(ObjectPipeline pipeline, LayerLimits limits) {
    this.pipeline = pipeline;
    this.limits = limits;
  }

  /**
   * Converts a layer; on return all of it is verified and durable.
   *
   * @param blob its raw bytes from the first on; closed here
   * @param sink where objects and catalogs go; after a failure it may hold objects that nothing
   *     names
   * @param progress told of the blob's bytes that were read so far, about each mebibyte, on this
   *     thread
   * @throws ImageException.Rejected if the layer can never be converted
   * @throws ImageException.Corrupt if the blob is not what was promised
   * @throws ImageException.Retryable if the blob could not be read
   * @throws io.lamina.storage.StorageException from the sink
   * @throws InterruptedException if this thread was told to stop
   */
  public ConvertedLayer convert(
      LayerWork work, InputStream blob, ObjectSink sink, LongConsumer progress)
      throws InterruptedException {
    try (LayerReader reader = LayerReader.open(work.layer(), blob, limits);
        ObjectPipeline.Session session = pipeline.open(sink)) {
      return new Run(work, reader, session, sink, progress).convert();
    } catch (CancellationException e) {
      if (Thread.interrupted()) {
        throw new InterruptedException("stopped while converting " + work.layer().blob().digest());
      }
      throw e;
    }
  }

  /** The conversion of one layer. */
  private final class Run {
    private final LayerWork work;
    private final LayerReader reader;
    private final ObjectPipeline.Session session;
    private final ObjectSink sink;
    private final LongConsumer progress;
    private final ConversionReport.Collector report = new ConversionReport.Collector();
    private final long startNanos = System.nanoTime();
    private final long startCpuNanos = cpuNanos();
    private long reportedBytes;

    Run(
        LayerWork work,
        LayerReader reader,
        ObjectPipeline.Session session,
        ObjectSink sink,
        LongConsumer progress) {
      this.work = work;
      this.reader = reader;
      this.session = session;
      this.sink = sink;
      this.progress = progress;
    }

    ConvertedLayer convert() throws InterruptedException {
      LayerTree layer = new LayerTree(work.timestampSeconds(), report);
      Optional<LayerEntry> next = reader.next();
      while (next.isPresent()) {
        if (next.get() instanceof LayerEntry.RegularFile file) {
          InputStream content = new Counted(file.content());
          layer.addFile(file, session.store(content, file.sizeBytes()));
        } else {
          layer.add(next.get());
        }
        tick();
        next = reader.next();
      }
      LayerReader.Totals totals = reader.finish();
      if (totals.trailingGarbage()) {
        report.add(Decision.TRAILING_GARBAGE, ".", "bytes after the archive's end mark");
      }
      session.complete();
      FileTree tree = layer.toFileTree(limits.maxEntries());
      int entries = tree.entries();
      Graft graft = pipeline.write(tree, work.mount(), work.timestampSeconds(), session, report);
      sink.flush();
      ObjectPipeline.Figures figures = session.figures();
      long ownCpuNanos = cpuNanos() - startCpuNanos;
      return new ConvertedLayer(
          graft,
          new WorkFigures(
              totals.compressedBytes(),
              totals.unpackedBytes(),
              entries,
              figures.objects(),
              figures.newObjects(),
              figures.newBytes(),
              ownCpuNanos + totals.unpackCpuNanos() + figures.cpuNanos(),
              System.nanoTime() - startNanos),
          report.report());
    }

    private void tick() {
      if (Thread.currentThread().isInterrupted()) {
        throw new CancellationException("interrupted");
      }
      long bytes = reader.compressedBytesRead();
      if (bytes - reportedBytes >= PROGRESS_BYTES) {
        reportedBytes = bytes;
        progress.accept(bytes);
      }
    }

    /** Lets long files show progress and be cancelled, too. */
    private final class Counted extends FilterInputStream {
      Counted(InputStream content) {
        super(content);
      }

      @Override
      public int read(byte[] target, int offset, int length) throws IOException {
        tick();
        return super.read(target, offset, length);
      }
    }
  }

  /** Of this thread; virtual threads have no clock of their own and count as idle. */
  private static long cpuNanos() {
    return Math.max(0, ManagementFactory.getThreadMXBean().getCurrentThreadCpuTime());
  }
}
