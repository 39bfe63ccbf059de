package io.lamina.cvmfs.compression;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;

/** Compresses with libdeflate, about twice as fast as zlib at equal ratios. Thread-safe. */
final class LibdeflateCompressor extends ObjectCompressor {
  /**
   * Up to this length content is compressed where it lies on the heap. A call of that kind keeps
   * the collector, and with it every other thread, waiting until it returns, so longer content is
   * copied out first: the copy costs a hundredth of the compression.
   */
  private static final int MAX_HEAP_CALL_BYTES = 1 << 20;

  /** Off-heap buffers over this size are not kept between calls. */
  private static final long MAX_KEPT_BYTES = 32L << 20;

  private final Libdeflate library;
  private final IdleStates<State> states;

  LibdeflateCompressor(Libdeflate library, int level) {
    this.library = library;
    this.states = new IdleStates<>(() -> new State(library, level), State::free);
  }

  @Override
  byte[] deflate(byte[] content, int offset, int length) {
    State state = states.borrow();
    try {
      return length <= MAX_HEAP_CALL_BYTES
          ? state.deflateOnHeap(content, offset, length)
          : state.deflateOffHeap(content, offset, length);
    } finally {
      states.giveBack(state);
    }
  }

  @Override
  public void close() {
    states.close();
  }

  @Override
  public String toString() {
    return "LibdeflateCompressor[" + library + "]";
  }

  /** A compressor of the library with its buffers; used by one thread at a time. */
  private static final class State {
    private final Libdeflate library;
    private final MemorySegment compressor;
    private byte[] heapOutput = new byte[0];
    private Arena arena = Arena.ofShared();
    private MemorySegment input = MemorySegment.NULL;
    private MemorySegment output = MemorySegment.NULL;

    State(Libdeflate library, int level) {
      this.library = library;
      this.compressor = call(() -> (MemorySegment) library.allocate().invokeExact(level));
      if (compressor.equals(MemorySegment.NULL)) {
        throw new OutOfMemoryError("libdeflate has no memory for a compressor of level " + level);
      }
    }

    byte[] deflateOnHeap(byte[] content, int offset, int length) {
      int room = Math.toIntExact(bound(length));
      if (heapOutput.length < room) {
        heapOutput = new byte[room];
      }
      MemorySegment from = MemorySegment.ofArray(content).asSlice(offset, length);
      MemorySegment to = MemorySegment.ofArray(heapOutput);
      long written =
          call(
              () ->
                  (long)
                      library
                          .compressHeap()
                          .invokeExact(compressor, from, (long) length, to, (long) room));
      return Arrays.copyOf(heapOutput, checkedLength(written));
    }

    byte[] deflateOffHeap(byte[] content, int offset, int length) {
      long room = bound(length);
      reserve(length, room);
      MemorySegment.copy(content, offset, input, ValueLayout.JAVA_BYTE, 0, length);
      long written =
          call(
              () ->
                  (long)
                      library
                          .compressNative()
                          .invokeExact(compressor, input, (long) length, output, room));
      byte[] result = output.asSlice(0, checkedLength(written)).toArray(ValueLayout.JAVA_BYTE);
      if (input.byteSize() + output.byteSize() > MAX_KEPT_BYTES) {
        dropBuffers();
      }
      return result;
    }

    private long bound(int length) {
      return call(() -> (long) library.bound().invokeExact(compressor, (long) length));
    }

    private static int checkedLength(long written) {
      if (written <= 0) {
        throw new IllegalStateException("libdeflate passed the bound that it gave itself");
      }
      return Math.toIntExact(written);
    }

    private void reserve(long inputBytes, long outputBytes) {
      if (input.byteSize() < inputBytes || output.byteSize() < outputBytes) {
        dropBuffers();
        input = arena.allocate(inputBytes);
        output = arena.allocate(outputBytes);
      }
    }

    private void dropBuffers() {
      arena.close();
      arena = Arena.ofShared();
      input = MemorySegment.NULL;
      output = MemorySegment.NULL;
    }

    void free() {
      arena.close();
      try {
        library.release().invokeExact(compressor);
      } catch (Throwable e) {
        throw unexpected(e);
      }
    }

    private static <T> T call(NativeCall<T> call) {
      try {
        return call.invoke();
      } catch (Throwable e) {
        throw unexpected(e);
      }
    }

    private static RuntimeException unexpected(Throwable e) {
      if (e instanceof Error error) {
        throw error;
      }
      return new IllegalStateException("a call into libdeflate failed", e);
    }
  }

  /** A call through a method handle, which declares to throw anything. */
  @FunctionalInterface
  private interface NativeCall<T> {
    T invoke() throws Throwable;
  }
}
