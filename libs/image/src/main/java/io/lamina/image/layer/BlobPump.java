package io.lamina.image.layer;

import io.lamina.image.Descriptor;
import io.lamina.image.ImageException;
import java.io.IOException;
import java.io.InputStream;
import java.lang.management.ManagementFactory;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CancellationException;
import org.jspecify.annotations.Nullable;

/**
 * A thread that fetches, hashes and decompresses a blob ahead of its one consumer, by a bounded
 * number of blocks.
 */
final class BlobPump implements AutoCloseable {
  /** With its header a quarter of one of the collector's smallest regions. */
  static final int BLOCK_BYTES = (1 << 18) - 64;

  private static final int BLOCKS = 8;

  /**
   * A filled block, the end (no data), or the end with its cause.
   *
   * @param length of the valid part of {@code data}; 0 only at the end
   */
  private record Block(byte[] data, int length, @Nullable Throwable failure) {}

  private final Descriptor blob;
  private final BlobSource source;
  private final LayerLimits limits;
  private final BlockingQueue<byte[]> empty = new ArrayBlockingQueue<>(BLOCKS);
  private final BlockingQueue<Block> full = new ArrayBlockingQueue<>(BLOCKS + 1);
  private final Thread thread;
  private volatile boolean abandoned;
  private volatile boolean closed;
  private volatile long cpuNanos;
  private @Nullable Block end;

  BlobPump(Descriptor blob, InputStream in, LayerLimits limits) {
    this.blob = blob;
    this.source = new BlobSource(blob, in);
    this.limits = limits;
    for (int i = 0; i < BLOCKS; i++) {
      empty.add(new byte[BLOCK_BYTES]);
    }
    this.thread =
        Thread.ofPlatform()
            .daemon()
            .name("layer-unpack-" + blob.digest().hex().substring(0, 12))
            .unstarted(this::run);
    thread.start();
  }

  long compressedBytesRead() {
    return source.bytesRead();
  }

  /** Of the thread; known at the end. */
  long cpuNanos() {
    return cpuNanos;
  }

  private void run() {
    try {
      try {
        pump();
      } catch (ImageException.Rejected e) {
        // A transfer error also looks like a broken layer: only intact blobs are rejected.
        source.drain();
        throw e;
      }
      cpuNanos = ManagementFactory.getThreadMXBean().getCurrentThreadCpuTime();
      full.add(new Block(new byte[0], 0, null));
    } catch (InterruptedException e) {
      full.add(new Block(new byte[0], 0, new CancellationException("the layer was closed")));
    } catch (Throwable e) {
      full.add(new Block(new byte[0], 0, e));
    }
  }

  private void pump() throws IOException, InterruptedException {
    try (InputStream unpacked = Decompression.open(blob, source)) {
      long total = 0;
      while (!abandoned) {
        byte[] block = empty.take();
        int length = fill(unpacked, block);
        if (length == 0) {
          source.drain();
          return;
        }
        total += length;
        checkTotal(total);
        full.add(new Block(block, length, null));
      }
    }
    source.drain();
  }

  private static int fill(InputStream in, byte[] block) throws IOException {
    int length = 0;
    while (length < block.length) {
      int n = in.read(block, length, block.length - length);
      if (n < 0) {
        break;
      }
      length += n;
    }
    return length;
  }

  private void checkTotal(long total) {
    if (total > limits.maxUnpackedBytes()) {
      throw new ImageException.Rejected(
          "layer "
              + blob.digest()
              + " unpacks to more than "
              + limits.maxUnpackedBytes()
              + " bytes (limit of unpacked bytes)");
    }
    if (total > limits.ratioFloorBytes()
        && total / limits.maxRatio() > Math.max(source.bytesRead(), 1)) {
      throw new ImageException.Rejected(
          "layer "
              + blob.digest()
              + " unpacks to more than "
              + limits.maxRatio()
              + " times its size (limit of the decompression ratio): "
              + total
              + " bytes from "
              + source.bytesRead());
    }
  }

  /**
   * The next filled block's length, or -1 at the end; {@code recycled} is given back for reuse.
   *
   * @throws CancellationException if this thread is interrupted
   */
  int next(Receiver receiver, byte @Nullable [] recycled) {
    if (end != null) {
      return ended(end);
    }
    try {
      if (recycled != null) {
        empty.add(recycled);
      }
      Block block = full.take();
      if (block.length() > 0) {
        receiver.accept(block.data(), block.length());
        return block.length();
      }
      end = block;
      return ended(block);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new CancellationException("interrupted while unpacking layer " + blob.digest());
    }
  }

  /** Takes a block that the pump has filled. */
  interface Receiver {
    void accept(byte[] data, int length);
  }

  private static int ended(Block end) {
    switch (end.failure()) {
      case null -> {
        return -1;
      }
      case ImageException e -> throw e;
      case CancellationException e -> throw e;
      case IOException e ->
          throw new ImageException.Retryable("unpacking a layer failed: " + e, e, null);
      case Error e -> throw e;
      case Throwable e -> throw new IllegalStateException("unpacking a layer failed", e);
    }
  }

  /**
   * Stops unpacking and reads the rest of the blob: returns if it is what it should be.
   *
   * @throws ImageException.Corrupt if the blob is not what its descriptor says
   */
  void verifyBlobOnly() {
    abandoned = true;
    byte[][] held = new byte[1][];
    int n = 0;
    while (n >= 0) {
      byte[] recycled = held[0];
      held[0] = null;
      n = next((data, length) -> held[0] = data, recycled);
    }
  }

  /**
   * Stops the thread; the blob's stream is closed. Waits for the thread to end, uninterruptibly.
   */
  @Override
  public void close() {
    if (closed) {
      return;
    }
    closed = true;
    abandoned = true;
    thread.interrupt();
    boolean interrupted = false;
    while (true) {
      try {
        source.close();
      } catch (IOException ignored) {
        // The blob was read or is not wanted any more.
      }
      try {
        thread.join();
        break;
      } catch (InterruptedException e) {
        interrupted = true;
      }
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }
}
