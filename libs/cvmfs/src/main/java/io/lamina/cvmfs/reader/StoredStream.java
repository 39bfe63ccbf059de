package io.lamina.cvmfs.reader;

import io.lamina.cvmfs.ContentHash;
import io.lamina.cvmfs.CvmfsException;
import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.security.MessageDigest;

/**
 * An object's stored bytes on their way in: hashed, and cut off where no compressor would have
 * needed more for the content. Not thread-safe.
 */
final class StoredStream extends FilterInputStream {
  private static final int SLACK_BYTES = 4096;
  // Deflate's worst case is 5 bytes for each 16 KiB that do not compress.
  private static final int WORST_GROWTH = 256;

  private final ContentHash hash;
  private final MessageDigest digest;
  private final long maxBytes;
  private final byte[] single = new byte[1];
  private long totalBytes;

  StoredStream(InputStream in, ContentHash hash, long contentBytes) {
    super(in);
    this.hash = hash;
    this.digest = hash.algorithm().newDigest();
    this.maxBytes = contentBytes + contentBytes / WORST_GROWTH + SLACK_BYTES;
  }

  @Override
  public int read() throws IOException {
    return read(single, 0, 1) < 0 ? -1 : single[0] & 0xff;
  }

  @Override
  public int read(byte[] target, int offset, int length) throws IOException {
    int count = super.read(target, offset, length);
    if (count > 0) {
      totalBytes += count;
      if (totalBytes > maxBytes) {
        throw new CvmfsException.Corrupt(
            "the object "
                + hash
                + " has more than the "
                + maxBytes
                + " stored bytes that its content can need");
      }
      digest.update(target, offset, count);
    }
    return count;
  }

  @Override
  public long skip(long count) {
    throw new UnsupportedOperationException("skipped bytes would not be hashed");
  }

  @Override
  public boolean markSupported() {
    return false;
  }

  long totalBytes() {
    return totalBytes;
  }

  /** Call once, at the end of the stream. */
  void requireHash(String path) {
    ContentHash actual = ContentHash.of(hash.algorithm(), digest.digest());
    if (!actual.equals(hash)) {
      throw new CvmfsException.Corrupt(
          path + " was changed: its bytes have the hash " + actual + ", its name says " + hash);
    }
  }
}
