package io.lamina.cvmfs.compression;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.function.Consumer;

/**
 * Compresses with ISA-L, two to three times as fast as libdeflate's lowest level for 2 to 3 % more
 * bytes. Thread-safe.
 *
 * <p>The bytes depend on the level and on the size of the work buffer, which is fixed here; of the
 * processor they depend at level 3 only, which is therefore not offered.
 */
final class IsalCompressor extends ObjectCompressor {
  /** The library's own size is below 83 kB; room for what later versions may add. */
  private static final int STREAM_BYTES = 1 << 18;

  /** By level; other sizes cut the blocks elsewhere. */
  private static final int[] WORK_BYTES = {0, 282_624, 331_776};

  private static final int NEXT_IN = 0;
  private static final int AVAILABLE_IN = 8;
  private static final int NEXT_OUT = 16;
  private static final int AVAILABLE_OUT = 24;
  private static final int TOTAL_OUT = 28;
  private static final int LEVEL = 40;
  private static final int WORK_SIZE = 44;
  private static final int WORK = 48;
  private static final int END_OF_STREAM = 56;
  private static final int FORMAT = 60;
  private static final short ZLIB = 3;

  /** What a stored block adds to 65,535 bytes, and the stream's header and checksum, with room. */
  private static final int MAX_BLOCK_BYTES = 32_767;

  private static final int SPARE_BYTES = 1024;

  /** Buffers over this size are not kept between calls. */
  private static final long MAX_KEPT_BYTES = 32L << 20;

  private final IdleStates<State> states;

  IsalCompressor(Isal library, int level) {
    this.states = new IdleStates<>(() -> new State(library, level), State::free);
  }

  @Override
  void deflate(byte[] content, int offset, int length, Consumer<MemorySegment> taker) {
    State state = states.borrow();
    try {
      state.deflate(content, offset, length, taker);
    } finally {
      states.giveBack(state);
    }
  }

  @Override
  public void close() {
    states.close();
  }

  /** A stream with its buffers; used by one thread at a time. */
  private static final class State {
    private final Isal library;
    private final int level;
    private final Arena arena = Arena.ofShared();
    private final MemorySegment stream = arena.allocate(STREAM_BYTES, 64);
    private final MemorySegment work;
    private final GrowingBuffers buffers = new GrowingBuffers(MAX_KEPT_BYTES);

    State(Isal library, int level) {
      this.library = library;
      this.level = level;
      this.work = arena.allocate(WORK_BYTES[level], 64);
    }

    void deflate(byte[] content, int offset, int length, Consumer<MemorySegment> taker) {
      int room = length + length / MAX_BLOCK_BYTES * 5 + SPARE_BYTES;
      buffers.reserve(length, room);
      MemorySegment.copy(content, offset, buffers.input(), ValueLayout.JAVA_BYTE, 0, length);
      NativeCalls.run(
          () -> {
            library.initialize().invokeExact(stream);
          });
      stream.set(ValueLayout.ADDRESS, NEXT_IN, buffers.input());
      stream.set(ValueLayout.JAVA_INT, AVAILABLE_IN, length);
      stream.set(ValueLayout.ADDRESS, NEXT_OUT, buffers.output());
      stream.set(ValueLayout.JAVA_INT, AVAILABLE_OUT, room);
      stream.set(ValueLayout.JAVA_INT, LEVEL, level);
      stream.set(ValueLayout.JAVA_INT, WORK_SIZE, WORK_BYTES[level]);
      stream.set(ValueLayout.ADDRESS, WORK, work);
      stream.set(ValueLayout.JAVA_SHORT, END_OF_STREAM, (short) 1);
      stream.set(ValueLayout.JAVA_SHORT, FORMAT, ZLIB);
      int result = NativeCalls.call(() -> (int) library.compress().invokeExact(stream));
      if (result != 0) {
        throw new IllegalStateException(
            "ISA-L could not compress " + length + " bytes (code " + result + ")");
      }
      int written = stream.get(ValueLayout.JAVA_INT, TOTAL_OUT);
      buffers.handOver(written, taker);
    }

    void free() {
      buffers.close();
      arena.close();
    }
  }
}
