package io.lamina.cvmfs.compression;

import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.function.Consumer;
import java.util.zip.Deflater;

/** Compresses with the zlib inside the JDK. Thread-safe. */
final class JdkCompressor extends ObjectCompressor {
  /** Room for the stream's header and checksum, and for the first blocks of tiny content. */
  private static final int SPARE_BYTES = 64;

  private final IdleStates<Deflater> deflaters;

  JdkCompressor(int level) {
    deflaters = new IdleStates<>(() -> new Deflater(level), Deflater::end);
  }

  @Override
  void deflate(byte[] content, int offset, int length, Consumer<MemorySegment> taker) {
    Deflater deflater = deflaters.borrow();
    try {
      taker.accept(MemorySegment.ofArray(deflate(deflater, content, offset, length)));
    } finally {
      deflater.reset();
      deflaters.giveBack(deflater);
    }
  }

  static byte[] deflate(Deflater deflater, byte[] content, int offset, int length) {
    deflater.setInput(content, offset, length);
    deflater.finish();
    byte[] output = new byte[length / 2 + SPARE_BYTES];
    int filled = 0;
    while (!deflater.finished()) {
      if (filled == output.length) {
        output = Arrays.copyOf(output, output.length + output.length / 2);
      }
      filled += deflater.deflate(output, filled, output.length - filled);
    }
    return filled == output.length ? output : Arrays.copyOf(output, filled);
  }

  @Override
  public void close() {
    deflaters.close();
  }
}
