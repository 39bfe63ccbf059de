package io.lamina.cvmfs.reader;

import io.lamina.cvmfs.ObjectKind;
import io.lamina.cvmfs.catalog.CatalogEntry;
import io.lamina.cvmfs.catalog.Chunk;
import java.io.IOException;
import java.io.InputStream;
import java.util.List;
import java.util.Objects;

/**
 * The chunks of a file one after the other, each fetched and checked when its first byte is asked
 * for; skipped ones are not fetched. Not thread-safe.
 */
final class ChunkedContent extends InputStream {
  private final VerifiedObjects objects;
  private final CatalogEntry entry;
  private final byte[] single = new byte[1];
  private int next;
  private InputStream current = InputStream.nullInputStream();
  private long currentLeftBytes;
  private boolean closed;

  ChunkedContent(VerifiedObjects objects, CatalogEntry entry) {
    this.objects = objects;
    this.entry = entry;
  }

  @Override
  public int read() throws IOException {
    return read(single, 0, 1) < 0 ? -1 : single[0] & 0xff;
  }

  @Override
  public int read(byte[] target, int offset, int length) throws IOException {
    Objects.checkFromIndexSize(offset, length, target.length);
    requireOpen();
    if (length == 0) {
      return 0;
    }
    while (true) {
      int count = current.read(target, offset, length);
      if (count > 0) {
        currentLeftBytes -= count;
        return count;
      }
      if (!hasNext()) {
        return -1;
      }
      openNext();
    }
  }

  @Override
  public long skip(long count) throws IOException {
    requireOpen();
    long left = count;
    while (left > 0) {
      if (currentLeftBytes == 0) {
        if (!hasNext()) {
          break;
        }
        Chunk chunk = entry.chunks().get(next);
        if (chunk.sizeBytes() <= left) {
          left -= chunk.sizeBytes();
          next++;
          continue;
        }
        openNext();
      }
      long skipped = current.skip(Math.min(left, currentLeftBytes));
      currentLeftBytes -= skipped;
      left -= skipped;
      if (skipped == 0) {
        break;
      }
    }
    return count - left;
  }

  @Override
  public void close() throws IOException {
    closed = true;
    current.close();
  }

  private void requireOpen() throws IOException {
    if (closed) {
      throw new IOException("the stream is closed");
    }
  }

  private boolean hasNext() {
    return next < entry.chunks().size();
  }

  private void openNext() throws IOException {
    current.close();
    List<Chunk> chunks = entry.chunks();
    Chunk chunk = chunks.get(next++);
    current = objects.open(chunk.hash(), ObjectKind.CHUNK, entry.compression(), chunk.sizeBytes());
    currentLeftBytes = chunk.sizeBytes();
  }
}
