package io.lamina.converter.layer;

import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.Deque;
import java.util.concurrent.Semaphore;
import java.util.stream.IntStream;

/**
 * Buffers in a few sizes, reused. Those that are taken for content are together never more than a
 * budget; what content becomes needs about as much again at most. A thread may wait for a buffer
 * only while it holds none that is not under work, so that waiting always ends. Thread-safe; free
 * lists are guarded by {@code this}.
 */
final class BufferPool {
  /** A round number of bytes in the collector's regions, header included. */
  private static final int ARRAY_HEADER_BYTES = 64;

  /** Buffers of this size gather small files. */
  static final int BATCH_BYTES = (1 << 18) - ARRAY_HEADER_BYTES;

  private final int[] sizes;
  private final long budgetBytes;
  private final Semaphore budgetKib;
  private final Deque<byte[]>[] free;
  private long allocatedBytes;

  /**
   * @param maxBytes of the largest buffer
   * @param budgetBytes of all; at least two of the largest
   */
  @SuppressWarnings({"unchecked", "rawtypes"})
  BufferPool(int maxBytes, long budgetBytes) {
    if (budgetBytes < 2L * maxBytes || budgetBytes >> 10 > Integer.MAX_VALUE) {
      throw new IllegalArgumentException(
          "a budget of "
              + budgetBytes
              + " bytes is not between two of the largest buffers ("
              + maxBytes
              + " bytes) and 2 TiB");
    }
    this.sizes =
        IntStream.of(
                BATCH_BYTES,
                (1 << 20) - ARRAY_HEADER_BYTES,
                (1 << 22) - ARRAY_HEADER_BYTES,
                maxBytes)
            .filter(size -> size <= maxBytes)
            .distinct()
            .sorted()
            .toArray();
    this.budgetBytes = budgetBytes;
    this.budgetKib = new Semaphore((int) (budgetBytes >> 10), true);
    this.free = new Deque[sizes.length];
    for (int i = 0; i < free.length; i++) {
      free[i] = new ArrayDeque<>();
    }
  }

  /** Waits until the budget has room; the buffer may be larger than asked for. */
  byte[] take(int bytes) throws InterruptedException {
    int index = indexFor(bytes);
    budgetKib.acquire(kib(sizes[index]));
    return reusedOrNew(index);
  }

  /** For what a taken buffer's content becomes: beside the budget, without waiting. */
  byte[] takeForResult(int bytes) {
    int index = indexFor(bytes);
    return index < sizes.length ? reusedOrNew(index) : new byte[bytes];
  }

  private int indexFor(int bytes) {
    int index = 0;
    while (index < sizes.length && sizes[index] < bytes) {
      index++;
    }
    return index;
  }

  private byte[] reusedOrNew(int index) {
    synchronized (this) {
      byte[] reused = free[index].pollLast();
      if (reused != null) {
        return reused;
      }
      makeRoom(sizes[index]);
    }
    return new byte[sizes[index]];
  }

  /**
   * A new buffer takes the place of idle ones, the smallest first: to make large ones again and
   * again is what fills the collector's old generation.
   */
  private void makeRoom(int bytes) {
    allocatedBytes += bytes;
    for (int i = 0; i < sizes.length; i++) {
      while (allocatedBytes > 2 * budgetBytes && free[i].pollFirst() != null) {
        allocatedBytes -= sizes[i];
      }
    }
  }

  /** Gives the array back for reuse, while its bytes may still count. */
  void recycle(byte[] buffer) {
    int index = Arrays.binarySearch(sizes, buffer.length);
    if (index >= 0) {
      synchronized (this) {
        free[index].addLast(buffer);
      }
    }
  }

  /** Gives its share of the budget back. */
  void release(int bufferBytes) {
    budgetKib.release(kib(bufferBytes));
  }

  private static int kib(int bytes) {
    return (bytes + 1023) >> 10;
  }
}
