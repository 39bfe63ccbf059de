package io.lamina.cvmfs.compression;

import java.io.ByteArrayOutputStream;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.function.Consumer;
import java.util.zip.Adler32;
import java.util.zip.Deflater;

/**
 * Compresses content of which most was seen before: segments of a fixed length are deflated each by
 * itself, with the zlib inside the JDK, and what came out is remembered. A catalog in which a few
 * rows changed costs the segments of those rows.
 *
 * <p>The stream is an ordinary zlib stream in which each segment ends with a full flush (RFC 1951,
 * 3.2.4). Its bytes follow from the content alone, whatever is remembered. Thread-safe.
 *
 * <p>Source: docs/adr/0023-catalogs-are-compressed-in-segments.md.
 */
public final class SegmentedCompressor extends ObjectCompressor {
  /** Two pages of SQLite. */
  static final int SEGMENT_BYTES = 8192;

  /** Deflate with a window of 32 KiB, fastest algorithm. Source: RFC 1950, 2.2. */
  private static final byte[] HEADER = {0x78, 0x01};

  /** An empty last block. */
  private static final byte[] END = {0x03, 0x00};

  private static final int CHECKSUM_BYTES = 4;

  /** What a remembered segment takes besides its bytes. */
  private static final int OVERHEAD_BYTES = 200;

  private final IdleStates<Deflater> deflaters;
  private final long maxRememberedBytes;
  private final LinkedHashMap<ByteBuffer, byte[]> remembered = new LinkedHashMap<>(64, 0.75f, true);
  private long rememberedBytes;

  /**
   * @param level of zlib, 1 to 9
   * @param maxRememberedBytes for compressed segments
   */
  public SegmentedCompressor(int level, long maxRememberedBytes) {
    this.deflaters = new IdleStates<>(() -> new Deflater(level, true), Deflater::end);
    this.maxRememberedBytes = maxRememberedBytes;
  }

  @Override
  void deflate(byte[] content, int offset, int length, Consumer<MemorySegment> taker) {
    ByteArrayOutputStream stream = new ByteArrayOutputStream(length / 2 + SEGMENT_BYTES);
    stream.writeBytes(HEADER);
    Deflater deflater = deflaters.borrow();
    try {
      int end = offset + length;
      for (int at = offset; at < end; at += SEGMENT_BYTES) {
        stream.writeBytes(segment(deflater, content, at, Math.min(SEGMENT_BYTES, end - at)));
      }
    } finally {
      deflaters.giveBack(deflater);
    }
    stream.writeBytes(END);
    Adler32 checksum = new Adler32();
    checksum.update(content, offset, length);
    stream.writeBytes(
        ByteBuffer.allocate(CHECKSUM_BYTES).putInt((int) checksum.getValue()).array());
    taker.accept(MemorySegment.ofArray(stream.toByteArray()));
  }

  private byte[] segment(Deflater deflater, byte[] content, int offset, int length) {
    ByteBuffer name = name(content, offset, length);
    synchronized (remembered) {
      byte[] known = remembered.get(name);
      if (known != null) {
        return known;
      }
    }
    byte[] deflated = deflateOne(deflater, content, offset, length);
    remember(name, deflated);
    return deflated;
  }

  private static ByteBuffer name(byte[] content, int offset, int length) {
    try {
      MessageDigest digest = MessageDigest.getInstance("SHA-256");
      digest.update(content, offset, length);
      return ByteBuffer.wrap(digest.digest());
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every JDK has SHA-256", e);
    }
  }

  private static byte[] deflateOne(Deflater deflater, byte[] content, int offset, int length) {
    deflater.reset();
    deflater.setInput(content, offset, length);
    ByteArrayOutputStream out = new ByteArrayOutputStream(length);
    byte[] room = new byte[SEGMENT_BYTES];
    int n;
    do {
      n = deflater.deflate(room, 0, room.length, Deflater.FULL_FLUSH);
      out.write(room, 0, n);
    } while (n == room.length);
    return out.toByteArray();
  }

  private void remember(ByteBuffer name, byte[] deflated) {
    synchronized (remembered) {
      if (remembered.put(name, deflated) == null) {
        rememberedBytes += deflated.length + OVERHEAD_BYTES;
      }
      Iterator<byte[]> eldest = remembered.values().iterator();
      while (rememberedBytes > maxRememberedBytes && eldest.hasNext()) {
        rememberedBytes -= eldest.next().length + OVERHEAD_BYTES;
        eldest.remove();
      }
    }
  }

  @Override
  public void close() {
    deflaters.close();
    synchronized (remembered) {
      remembered.clear();
      rememberedBytes = 0;
    }
  }
}
