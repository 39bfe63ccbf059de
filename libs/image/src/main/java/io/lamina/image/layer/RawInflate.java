package io.lamina.image.layer;

import java.util.zip.DataFormatException;
import java.util.zip.Inflater;

/** Decompresses raw deflate streams (RFC 1951), one after the other. Single-threaded. */
sealed interface RawInflate extends AutoCloseable permits IsalInflate, RawInflate.Jdk {
  /** The fastest decompressor that this machine has. All give the same bytes. */
  static RawInflate fastest() {
    return IsalInflate.isAvailable() ? new IsalInflate() : new Jdk();
  }

  /** Begins a new stream. */
  void reset();

  /** Input for the next calls; all earlier input has been used. */
  void input(byte[] bytes, int offset, int length);

  /**
   * Some bytes of output, or 0 if the stream has ended or more input is needed.
   *
   * @throws DataFormatException if this is no deflate stream
   */
  int inflate(byte[] target, int offset, int length) throws DataFormatException;

  boolean finished();

  /** Bytes of the input not used; behind the stream's end perhaps some of the input before. */
  int remaining();

  @Override
  void close();

  /** The zlib of the JDK. */
  final class Jdk implements RawInflate {
    private final Inflater inflater = new Inflater(true);

    @Override
    public void reset() {
      inflater.reset();
    }

    @Override
    public void input(byte[] bytes, int offset, int length) {
      inflater.setInput(bytes, offset, length);
    }

    @Override
    public int inflate(byte[] target, int offset, int length) throws DataFormatException {
      return inflater.inflate(target, offset, length);
    }

    @Override
    public boolean finished() {
      return inflater.finished();
    }

    @Override
    public int remaining() {
      return inflater.getRemaining();
    }

    @Override
    public void close() {
      inflater.end();
    }
  }
}
