package io.lamina.cvmfs.compression;

import io.lamina.cvmfs.CvmfsException;
import io.lamina.cvmfs.HashAlgorithm;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Objects;
import java.util.function.Consumer;

/**
 * Turns content into objects: one zlib stream and its hash in one go.
 *
 * <p>Source: docs/format/objects.md, "Compression". Thread-safe: each call borrows a state of its
 * own, so as many states exist as calls ran at once. The same content gives the same bytes on each
 * call of each compressor made by an equal {@link Compression}.
 */
public abstract sealed class ObjectCompressor implements AutoCloseable
    permits IsalCompressor, JdkCompressor, LibdeflateCompressor, SegmentedCompressor {
  /** The longest content of one object; longer files are stored in chunks. */
  public static final int MAX_CONTENT_BYTES = 512 << 20;

  /**
   * Compresses {@code content[offset .. offset + length)}.
   *
   * @throws CvmfsException.Rejected if {@code length} is over {@link #MAX_CONTENT_BYTES}
   * @throws IllegalStateException after {@link #close}
   */
  public final CompressedObject compress(
      byte[] content, int offset, int length, HashAlgorithm algorithm) {
    if (length == 0) {
      return CompressedObject.empty(algorithm);
    }
    byte[][] taken = new byte[1][];
    compress(content, offset, length, stream -> taken[0] = stream.toArray(ValueLayout.JAVA_BYTE));
    return CompressedObject.ofStored(taken[0], algorithm);
  }

  /** Compresses a whole array. */
  public final CompressedObject compress(byte[] content, HashAlgorithm algorithm) {
    return compress(content, 0, content.length, algorithm);
  }

  /**
   * Compresses {@code content[offset .. offset + length)}, at least one byte, for a caller who has
   * memory for the stream.
   *
   * @param taker gets the stream, which is gone when it returns
   * @throws CvmfsException.Rejected if {@code length} is over {@link #MAX_CONTENT_BYTES}
   * @throws IllegalStateException after {@link #close}
   */
  public final void compress(
      byte[] content, int offset, int length, Consumer<MemorySegment> taker) {
    Objects.checkFromIndexSize(offset, length, content.length);
    if (length == 0) {
      throw new IllegalArgumentException("empty content has an object of its own");
    }
    if (length > MAX_CONTENT_BYTES) {
      throw new CvmfsException.Rejected(
          "an object holds at most "
              + MAX_CONTENT_BYTES
              + " bytes of content, not "
              + length
              + "; store the file in chunks");
    }
    deflate(content, offset, length, taker);
  }

  /** One zlib stream; {@code length} is 1 or more. */
  abstract void deflate(byte[] content, int offset, int length, Consumer<MemorySegment> taker);

  /** Frees the states that are idle; those of running calls go when the calls end. */
  @Override
  public abstract void close();
}
