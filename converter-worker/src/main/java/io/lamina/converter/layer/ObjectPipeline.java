package io.lamina.converter.layer;

import io.lamina.cvmfs.ContentHash;
import io.lamina.cvmfs.ObjectKind;
import io.lamina.cvmfs.RepositoryPath;
import io.lamina.cvmfs.catalog.Graft;
import io.lamina.cvmfs.compression.CompressedObject;
import io.lamina.cvmfs.compression.CompressionAlgorithm;
import io.lamina.cvmfs.compression.ObjectCompressor;
import io.lamina.cvmfs.tree.CatalogTreeSettings;
import io.lamina.cvmfs.tree.CatalogTreeWriter;
import io.lamina.cvmfs.tree.FileTree;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.lang.management.ManagementFactory;
import java.lang.management.ThreadMXBean;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CancellationException;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.Phaser;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.atomic.LongAdder;
import org.jspecify.annotations.Nullable;

/**
 * Turns contents into stored objects on threads of its own: cut, compress, hash, put. Small files
 * travel in batches. The bytes under work are bounded over all sessions; who brings more waits.
 *
 * <p>Source: docs/conversion.md, "Objects". Thread-safe; each {@link Session} belongs to one
 * thread.
 */
public final class ObjectPipeline implements AutoCloseable {
  private static final int READ_BYTES = 1 << 18;
  private static final int IDLE_SECONDS = 30;

  private final PipelineSettings settings;
  private final ObjectCompressor compressor;
  private final BufferPool buffers;
  private final ThreadPoolExecutor compressing;
  private final ThreadPoolExecutor putting;
  private final ThreadMXBean threads = ManagementFactory.getThreadMXBean();

  public ObjectPipeline(PipelineSettings settings) {
    this.settings = settings;
    this.compressor = settings.compression().newCompressor();
    this.buffers = new BufferPool(settings.chunks().maxBytes(), settings.maxBufferBytes());
    this.compressing = pool("layer-compress-", settings.threads());
    this.putting = pool("layer-put-", settings.parallelPuts());
  }

  /** The queue needs no bound of its own: all that is queued holds a share of the buffers. */
  private static ThreadPoolExecutor pool(String name, int size) {
    ThreadFactory factory = Thread.ofPlatform().daemon().name(name, 0).factory();
    ThreadPoolExecutor pool =
        new ThreadPoolExecutor(
            size, size, IDLE_SECONDS, TimeUnit.SECONDS, new LinkedBlockingQueue<>(), factory);
    pool.allowCoreThreadTimeOut(true);
    return pool;
  }

  public PipelineSettings settings() {
    return settings;
  }

  /** Starts a set of contents that are stored, or fail, together. */
  public Session open(ObjectSink sink) {
    return new Session(sink);
  }

  /**
   * Writes a tree's catalogs through a session, and the marker that all of them name.
   *
   * @param mount where the tree will hang
   */
  public Graft write(
      FileTree tree,
      RepositoryPath mount,
      long timestampSeconds,
      Session session,
      ConversionReport.Collector report) {
    session.storeEmpty();
    CatalogTreeWriter writer =
        new CatalogTreeWriter(
            CatalogTreeSettings.of(settings.hash(), timestampSeconds), compressor);
    return writer.write(
        tree,
        mount,
        (at, kind, catalog) -> session.putNow(kind, catalog),
        path -> report.add(ConversionReport.Decision.RESERVED_NAME, path, "left out"));
  }

  /** Ends the threads; sessions must have ended before. */
  @Override
  public void close() {
    compressing.shutdown();
    putting.shutdown();
    compressor.close();
  }

  /**
   * What a session stored.
   *
   * @param cpuNanos of the pipeline's threads
   */
  public record Figures(long objects, long newObjects, long newBytes, long cpuNanos) {}

  /** One content in a buffer, on its way to be an object. */
  private record Part(ObjectKind kind, int offset, int length, FileContent.Whole object) {}

  /** Named bytes. */
  private record Named(ObjectKind kind, ContentHash hash, byte[] bytes, int offset, int length) {}

  /** One caller's contents. For one thread. */
  public final class Session implements AutoCloseable {
    private final ObjectSink sink;
    private final Phaser underWork = new Phaser(1);
    private final AtomicReference<@Nullable Throwable> failure = new AtomicReference<>();
    private final LongAdder objects = new LongAdder();
    private final LongAdder newObjects = new LongAdder();
    private final LongAdder newBytes = new LongAdder();
    private final LongAdder cpuNanos = new LongAdder();
    private final ContentCutter cutter = new ContentCutter(settings.chunks());
    private byte @Nullable [] batch;
    private int batchBytes;
    private List<Part> batchParts = new ArrayList<>();
    private FileContent.@Nullable Whole empty;

    private Session(ObjectSink sink) {
      this.sink = sink;
    }

    /**
     * Takes all bytes of a file; compressing and storing go on after return.
     *
     * @throws RuntimeException what made an earlier content of this session fail
     */
    FileContent store(InputStream content, long sizeBytes) throws InterruptedException {
      throwFailure();
      if (sizeBytes == 0) {
        return storeEmpty();
      }
      if (sizeBytes <= BufferPool.BATCH_BYTES) {
        return small(content, (int) sizeBytes);
      }
      flushBatch();
      return sizeBytes <= settings.chunks().minBytes()
          ? middle(content, (int) sizeBytes)
          : large(content, sizeBytes);
    }

    /** Stores the object of empty content, once. */
    FileContent storeEmpty() {
      FileContent.Whole known = empty;
      if (known == null) {
        known = new FileContent.Whole(CompressionAlgorithm.ZLIB);
        CompressedObject object = CompressedObject.empty(settings.hash());
        put(new Named(ObjectKind.FILE, object.hash(), object.bytes(), 0, object.bytes().length));
        known.stored(object.hash());
        empty = known;
      }
      return known;
    }

    private FileContent small(InputStream content, int size) throws InterruptedException {
      byte[] buffer = batch;
      if (buffer != null && buffer.length - batchBytes < size) {
        flushBatch();
        buffer = null;
      }
      if (buffer == null) {
        buffer = buffers.take(BufferPool.BATCH_BYTES);
        batch = buffer;
        batchBytes = 0;
      }
      readExactly(content, buffer, batchBytes, size);
      FileContent.Whole object = whole(buffer, batchBytes, size);
      batchParts.add(new Part(ObjectKind.FILE, batchBytes, size, object));
      batchBytes += size;
      return object;
    }

    private void flushBatch() {
      byte[] buffer = batch;
      if (buffer != null) {
        batch = null;
        List<Part> parts = batchParts;
        batchParts = new ArrayList<>();
        submit(buffer, parts);
      }
    }

    private FileContent middle(InputStream content, int size) throws InterruptedException {
      byte[] buffer = buffers.take(size);
      FileContent.Whole object;
      try {
        readExactly(content, buffer, 0, size);
        object = whole(buffer, 0, size);
      } catch (RuntimeException e) {
        giveBack(buffer);
        throw e;
      }
      submit(buffer, List.of(new Part(ObjectKind.FILE, 0, size, object)));
      return object;
    }

    private FileContent.Whole whole(byte[] buffer, int offset, int length) {
      return new FileContent.Whole(
          Entropy.isNoise(buffer, offset, length)
              ? CompressionAlgorithm.NONE
              : CompressionAlgorithm.ZLIB);
    }

    private FileContent large(InputStream content, long size) throws InterruptedException {
      List<FileContent.Piece> pieces = new ArrayList<>();
      byte[] carry = new byte[READ_BYTES];
      int carried = 0;
      long offset = 0;
      CompressionAlgorithm compression = null;
      while (offset < size) {
        int capacity = (int) Math.min(settings.chunks().maxBytes(), size - offset);
        byte[] buffer = buffers.take(capacity);
        int length;
        try {
          System.arraycopy(carry, 0, buffer, 0, carried);
          int filled = carried;
          cutter.startChunk();
          int cut = -1;
          while (cut < 0 && filled < capacity) {
            int n = Math.min(READ_BYTES, capacity - filled);
            readExactly(content, buffer, filled, n);
            filled += n;
            cut = cutter.find(buffer, filled);
          }
          length = cut < 0 ? filled : cut;
          carried = filled - length;
          System.arraycopy(buffer, length, carry, 0, carried);
        } catch (RuntimeException e) {
          giveBack(buffer);
          throw e;
        }
        if (compression == null) {
          // All chunks of a file are stored alike, so its beginning decides.
          compression =
              whole(buffer, 0, Math.min(length, settings.chunks().minBytes())).compression();
        }
        FileContent.Whole object = new FileContent.Whole(compression);
        boolean alone = offset == 0 && length == size;
        ObjectKind kind = alone ? ObjectKind.FILE : ObjectKind.CHUNK;
        submit(buffer, List.of(new Part(kind, 0, length, object)));
        if (alone) {
          return object;
        }
        pieces.add(new FileContent.Piece(offset, length, object));
        offset += length;
      }
      return new FileContent.Pieces(pieces);
    }

    private static void readExactly(InputStream content, byte[] buffer, int offset, int length) {
      try {
        int n = content.readNBytes(buffer, offset, length);
        if (n < length) {
          throw new IllegalStateException("content ended " + (length - n) + " bytes too early");
        }
      } catch (IOException e) {
        throw new UncheckedIOException("reading a file's content failed", e);
      }
    }

    private void submit(byte[] buffer, List<Part> parts) {
      underWork.register();
      compressing.execute(() -> compress(buffer, parts));
    }

    private void compress(byte[] buffer, List<Part> parts) {
      long start = threads.getCurrentThreadCpuTime();
      boolean raw = false;
      List<Named> named = new ArrayList<>(parts.size());
      Results results = new Results(buffers);
      try {
        for (Part part : parts) {
          if (failure.get() == null) {
            raw |= part.object().compression() == CompressionAlgorithm.NONE;
            named.add(named(buffer, part, results));
          }
        }
      } catch (Throwable e) {
        failure.compareAndSet(null, e);
      }
      cpuNanos.add(threads.getCurrentThreadCpuTime() - start);
      if (raw) {
        results.keep(buffer);
      } else {
        buffers.recycle(buffer);
      }
      putting.execute(() -> put(named, results, buffer.length));
    }

    private Named named(byte[] buffer, Part part, Results results) {
      Named named;
      if (part.object().compression() == CompressionAlgorithm.NONE) {
        named = named(part.kind(), buffer, part.offset(), part.length());
      } else {
        compressor.compress(buffer, part.offset(), part.length(), results::add);
        named = named(part.kind(), results.array(), results.offset(), results.length());
      }
      part.object().stored(named.hash());
      return named;
    }

    private Named named(ObjectKind kind, byte[] bytes, int offset, int length) {
      MessageDigest digest = settings.hash().newDigest();
      digest.update(bytes, offset, length);
      return new Named(
          kind, ContentHash.of(settings.hash(), digest.digest()), bytes, offset, length);
    }

    private void put(List<Named> named, Results results, int budgetBytes) {
      long start = threads.getCurrentThreadCpuTime();
      try {
        for (Named object : named) {
          if (failure.get() == null) {
            put(object);
          }
        }
      } catch (Throwable e) {
        failure.compareAndSet(null, e);
      } finally {
        cpuNanos.add(threads.getCurrentThreadCpuTime() - start);
        results.recycle();
        buffers.release(budgetBytes);
        underWork.arriveAndDeregister();
      }
    }

    private void put(Named object) {
      objects.increment();
      if (sink.put(
          object.kind(), object.hash(), object.bytes(), object.offset(), object.length())) {
        newObjects.increment();
        newBytes.add(object.length());
      }
    }

    private void giveBack(byte[] buffer) {
      buffers.recycle(buffer);
      buffers.release(buffer.length);
    }

    private void throwFailure() {
      switch (failure.get()) {
        case null -> {}
        case RuntimeException e -> throw e;
        case Error e -> throw e;
        case Throwable e -> throw new IllegalStateException(e);
      }
    }

    /** Compresses and stores a small file at once, on this thread. */
    public ContentHash storeNow(byte[] content) {
      CompressedObject object = compressor.compress(content, settings.hash());
      putNow(ObjectKind.FILE, object);
      return object.hash();
    }

    /** Stores one more object at once, on this thread. */
    void putNow(ObjectKind kind, CompressedObject object) {
      throwFailure();
      put(new Named(kind, object.hash(), object.bytes(), 0, object.bytes().length));
    }

    /**
     * Waits until all contents are stored; their hashes are known then.
     *
     * @throws RuntimeException the first failure
     */
    Figures complete() throws InterruptedException {
      flushBatch();
      await();
      throwFailure();
      return figures();
    }

    private void await() throws InterruptedException {
      underWork.awaitAdvanceInterruptibly(underWork.arrive());
    }

    public Figures figures() {
      return new Figures(objects.sum(), newObjects.sum(), newBytes.sum(), cpuNanos.sum());
    }

    /** Drops what was not stored yet and waits until no worker touches the session any more. */
    @Override
    public void close() {
      failure.compareAndSet(null, new CancellationException("the conversion has ended"));
      byte[] buffer = batch;
      if (buffer != null) {
        batch = null;
        giveBack(buffer);
      }
      boolean interrupted = Thread.interrupted();
      underWork.arriveAndAwaitAdvance();
      if (interrupted) {
        Thread.currentThread().interrupt();
      }
    }
  }
}
