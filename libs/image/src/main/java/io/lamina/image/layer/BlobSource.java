package io.lamina.image.layer;

import io.lamina.image.Descriptor;
import io.lamina.image.ImageException;
import io.lamina.image.manifest.VerifyingStream;
import java.io.IOException;
import java.io.InputStream;

/**
 * The raw bytes of a blob, counted and verified as they pass. One thread reads; {@link #bytesRead}
 * may be asked from any.
 */
final class BlobSource extends InputStream {
  private static final int DRAIN_BYTES = 1 << 16;

  private final Descriptor blob;
  private final VerifyingStream in;
  private volatile long bytesRead;
  private boolean ended;

  BlobSource(Descriptor blob, InputStream in) {
    this.blob = blob;
    this.in = VerifyingStream.of(in, blob);
  }

  long bytesRead() {
    return bytesRead;
  }

  @Override
  public int read() {
    byte[] one = new byte[1];
    return read(one, 0, 1) < 0 ? -1 : one[0] & 0xff;
  }

  @Override
  public int read(byte[] target, int offset, int length) {
    if (length == 0) {
      return 0;
    }
    if (ended) {
      return -1; // the stream below may be closed already
    }
    try {
      int n = in.read(target, offset, length);
      if (n == 0) {
        throw new ImageException.Retryable(
            "blob " + blob.digest() + ": the source gave no bytes", null, null);
      }
      ended = n < 0;
      long total = bytesRead + Math.max(n, 0);
      bytesRead = total;
      return n;
    } catch (IOException e) {
      if (e.getCause() instanceof ImageException known) {
        throw known;
      }
      throw new ImageException.Retryable(
          "reading blob "
              + blob.digest()
              + " failed after "
              + bytesRead
              + " of "
              + blob.sizeBytes()
              + " bytes: "
              + e,
          e,
          null);
    }
  }

  /** Reads what is left, so that a broken transfer is told apart from a broken layer. */
  void drain() {
    byte[] scratch = new byte[DRAIN_BYTES];
    int n = 0;
    while (n >= 0) {
      n = read(scratch, 0, scratch.length);
    }
  }

  @Override
  public void close() throws IOException {
    in.close();
  }
}
