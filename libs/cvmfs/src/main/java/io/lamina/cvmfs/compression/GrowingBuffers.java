package io.lamina.cvmfs.compression;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.function.Consumer;

/** Off-heap room for one call's content and its result. Used by one thread at a time. */
final class GrowingBuffers implements AutoCloseable {
  private final long maxKeptBytes;
  private Arena arena = Arena.ofShared();
  private MemorySegment input = MemorySegment.NULL;
  private MemorySegment output = MemorySegment.NULL;

  /**
   * @param maxKeptBytes larger buffers are freed once their result is taken
   */
  GrowingBuffers(long maxKeptBytes) {
    this.maxKeptBytes = maxKeptBytes;
  }

  MemorySegment input() {
    return input;
  }

  MemorySegment output() {
    return output;
  }

  void reserve(long inputBytes, long outputBytes) {
    if (input.byteSize() < inputBytes || output.byteSize() < outputBytes) {
      long inputRoom = roundUp(Math.max(inputBytes, input.byteSize()));
      long outputRoom = roundUp(Math.max(outputBytes, output.byteSize()));
      drop();
      input = arena.allocate(inputRoom, 64);
      output = arena.allocate(outputRoom, 64);
    }
  }

  /** A power of two, so that contents of rising lengths do not each bring a new allocation. */
  private static long roundUp(long bytes) {
    return Math.max(1 << 16, Long.highestOneBit(2 * bytes - 1));
  }

  /** Shows the first bytes of the output. */
  void handOver(long length, Consumer<MemorySegment> taker) {
    taker.accept(output.asSlice(0, length));
    if (input.byteSize() + output.byteSize() > maxKeptBytes) {
      drop();
    }
  }

  private void drop() {
    arena.close();
    arena = Arena.ofShared();
    input = MemorySegment.NULL;
    output = MemorySegment.NULL;
  }

  @Override
  public void close() {
    arena.close();
  }
}
