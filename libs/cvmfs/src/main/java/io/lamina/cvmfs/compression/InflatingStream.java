package io.lamina.cvmfs.compression;

import io.lamina.cvmfs.CvmfsException;
import java.io.IOException;
import java.io.InputStream;
import java.util.Objects;
import java.util.zip.DataFormatException;
import java.util.zip.Inflater;

/** Streams the content of exactly one zlib stream. Not thread-safe. */
final class InflatingStream extends InputStream {
  private static final int BUFFER_BYTES = 64 << 10;

  private final InputStream stored;
  private final long maxBytes;
  private final Inflater inflater = new Inflater();
  private final byte[] buffer = new byte[BUFFER_BYTES];
  private final byte[] single = new byte[1];
  private long totalBytes;
  private boolean ended;
  private boolean closed;

  InflatingStream(InputStream stored, long maxBytes) {
    this.stored = stored;
    this.maxBytes = maxBytes;
  }

  @Override
  public int read() throws IOException {
    return read(single, 0, 1) < 0 ? -1 : single[0] & 0xff;
  }

  @Override
  public int read(byte[] target, int offset, int length) throws IOException {
    Objects.checkFromIndexSize(offset, length, target.length);
    if (closed) {
      throw new IOException("the stream is closed");
    }
    if (length == 0) {
      return 0;
    }
    if (ended) {
      return -1;
    }
    try {
      while (true) {
        int count = inflater.inflate(target, offset, length);
        if (count > 0) {
          totalBytes += count;
          if (totalBytes > maxBytes) {
            throw Decompression.tooLong(maxBytes);
          }
          return count;
        }
        if (inflater.finished()) {
          requireNothingFollows();
          ended = true;
          return -1;
        }
        refill();
      }
    } catch (DataFormatException e) {
      throw new CvmfsException.Corrupt("not a zlib stream: " + e.getMessage(), e);
    }
  }

  private void refill() throws IOException {
    if (inflater.needsDictionary()) {
      throw Decompression.unfinished(inflater, totalBytes);
    }
    int count = stored.read(buffer);
    if (count < 0) {
      throw Decompression.unfinished(inflater, totalBytes);
    }
    inflater.setInput(buffer, 0, count);
  }

  private void requireNothingFollows() throws IOException {
    if (inflater.getRemaining() > 0) {
      throw Decompression.trailing(inflater.getRemaining());
    }
    if (stored.read() >= 0) {
      throw Decompression.trailing(1);
    }
  }

  @Override
  public void close() throws IOException {
    if (!closed) {
      closed = true;
      inflater.end();
      stored.close();
    }
  }
}
