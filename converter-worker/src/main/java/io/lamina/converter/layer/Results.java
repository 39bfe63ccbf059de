package io.lamina.converter.layer;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;

/**
 * What the contents of one buffer became, in reused memory, until it is stored. For one thread
 * after the other.
 */
final class Results {
  private final BufferPool buffers;
  private final List<byte[]> arrays = new ArrayList<>(2);
  private byte[] array = new byte[0];
  private int filled;
  private int offset;

  Results(BufferPool buffers) {
    this.buffers = buffers;
  }

  /** Copies a stream behind the ones before it. */
  void add(MemorySegment stream) {
    int length = Math.toIntExact(stream.byteSize());
    if (array.length - filled < length) {
      array = buffers.takeForResult(length);
      filled = 0;
      keep(array);
    }
    MemorySegment.copy(stream, ValueLayout.JAVA_BYTE, 0, array, filled, length);
    offset = filled;
    filled += length;
  }

  /** Where the last stream is. */
  byte[] array() {
    return array;
  }

  int offset() {
    return offset;
  }

  int length() {
    return filled - offset;
  }

  /** One more array that is needed until everything is stored. */
  void keep(byte[] more) {
    arrays.add(more);
  }

  void recycle() {
    arrays.forEach(buffers::recycle);
    arrays.clear();
  }
}
