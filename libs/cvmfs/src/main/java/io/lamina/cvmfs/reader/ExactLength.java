package io.lamina.cvmfs.reader;

import io.lamina.cvmfs.CvmfsException;
import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;

/** Content that must have the length that its catalog gives. Not thread-safe. */
final class ExactLength extends FilterInputStream {
  private final long sizeBytes;
  private final String what;
  private final Spool owned;
  private final byte[] single = new byte[1];
  private long readBytes;

  ExactLength(InputStream in, long sizeBytes, String what, Spool owned) {
    super(in);
    this.sizeBytes = sizeBytes;
    this.what = what;
    this.owned = owned;
  }

  @Override
  public int read() throws IOException {
    return read(single, 0, 1) < 0 ? -1 : single[0] & 0xff;
  }

  @Override
  public int read(byte[] target, int offset, int length) throws IOException {
    int count = super.read(target, offset, length);
    if (count > 0) {
      readBytes += count;
    }
    boolean ended = count < 0;
    if (readBytes > sizeBytes || (ended && readBytes != sizeBytes)) {
      throw new CvmfsException.Corrupt(
          what
              + " has "
              + (ended ? String.valueOf(readBytes) : "more than " + sizeBytes)
              + " bytes of content, its catalog says "
              + sizeBytes);
    }
    return count;
  }

  @Override
  public long skip(long count) throws IOException {
    long left = Math.min(count, sizeBytes - readBytes);
    byte[] buffer = new byte[(int) Math.min(Math.max(left, 0), 64 << 10)];
    long skipped = 0;
    while (skipped < left) {
      int read = read(buffer, 0, (int) Math.min(buffer.length, left - skipped));
      if (read < 0) {
        break;
      }
      skipped += read;
    }
    return skipped;
  }

  @Override
  public boolean markSupported() {
    return false;
  }

  @Override
  public void close() throws IOException {
    try {
      super.close();
    } finally {
      owned.close();
    }
  }
}
