package io.lamina.linux;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/** Memory that files are read into and written from, to be used again. Owned by its thread. */
public final class CopyBuffer implements AutoCloseable {
  private final Arena arena = Arena.ofConfined();
  private final MemorySegment segment;
  private final byte[] bytes;

  public CopyBuffer(int sizeBytes) {
    segment = arena.allocate(sizeBytes, 64);
    bytes = new byte[sizeBytes];
  }

  /** What was read, or is to be written. */
  public byte[] bytes() {
    return bytes;
  }

  public int sizeBytes() {
    return bytes.length;
  }

  long address() {
    return segment.address();
  }

  void load(int from, int length) {
    MemorySegment.copy(bytes, from, segment, ValueLayout.JAVA_BYTE, 0, length);
  }

  void store(int length) {
    MemorySegment.copy(segment, ValueLayout.JAVA_BYTE, 0, bytes, 0, length);
  }

  @Override
  public void close() {
    arena.close();
  }
}
