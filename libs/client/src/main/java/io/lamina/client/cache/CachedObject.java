package io.lamina.client.cache;

import io.lamina.client.failure.ClientException;
import io.lamina.linux.LinuxException;
import io.lamina.linux.OpenFile;
import java.io.InputStream;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.util.Objects;
import java.util.concurrent.atomic.AtomicBoolean;

/**
 * The verified content of an object, which stays in the cache until this is closed. Reading is
 * thread-safe; after closing it fails.
 */
public final class CachedObject implements AutoCloseable {
  private final CacheEntry entry;
  private final OpenFile content;
  private final AtomicBoolean isClosed = new AtomicBoolean();

  CachedObject(CacheEntry entry) {
    this.entry = entry;
    this.content = entry.content();
  }

  public long sizeBytes() {
    return entry.sizeBytes;
  }

  /** The file with exactly the content; not to be changed. */
  public Path file() {
    return entry.file;
  }

  /**
   * Fills the start of {@code target} with what lies at the offset.
   *
   * @param target off-heap
   * @return how many bytes: fewer than the target has only at the end of the content
   * @throws ClientException.Broken if the disk fails
   */
  public long read(MemorySegment target, long offset) {
    if (isClosed.get()) {
      throw new IllegalStateException("the cached object " + entry.file + " has been given back");
    }
    long filled = 0;
    try {
      while (filled < target.byteSize()) {
        MemorySegment rest = filled == 0 ? target : target.asSlice(filled);
        int count = content.readAt(rest, offset + filled);
        if (count == 0) {
          break;
        }
        filled += count;
      }
    } catch (LinuxException e) {
      throw new ClientException.Broken("cannot read a cached object", e);
    }
    return filled;
  }

  /** The whole content as a stream; closing it gives this object back. Not thread-safe. */
  public InputStream stream() {
    return new Stream();
  }

  @Override
  public void close() {
    if (isClosed.compareAndSet(false, true)) {
      entry.unpin();
    }
  }

  private final class Stream extends InputStream {
    private static final int BUFFER_BYTES = 64 << 10;

    private final MemorySegment buffer = Arena.ofAuto().allocate(BUFFER_BYTES);
    private final byte[] single = new byte[1];
    private long position;

    @Override
    public int read() {
      return read(single, 0, 1) < 0 ? -1 : single[0] & 0xff;
    }

    @Override
    public int read(byte[] target, int offset, int length) {
      Objects.checkFromIndexSize(offset, length, target.length);
      if (length == 0) {
        return 0;
      }
      MemorySegment part = buffer.asSlice(0, Math.min(length, BUFFER_BYTES));
      int count = (int) CachedObject.this.read(part, position);
      if (count == 0) {
        return -1;
      }
      MemorySegment.copy(part, ValueLayout.JAVA_BYTE, 0, target, offset, count);
      position += count;
      return count;
    }

    @Override
    public long skip(long count) {
      long skipped = Math.clamp(count, 0, sizeBytes() - position);
      position += skipped;
      return skipped;
    }

    @Override
    public void close() {
      CachedObject.this.close();
    }
  }
}
