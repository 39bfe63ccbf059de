package io.lamina.image.layer;

import io.lamina.image.Descriptor;
import io.lamina.image.Digest;
import io.lamina.image.ImageException;
import java.io.IOException;
import java.io.InputStream;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;

/**
 * The raw bytes of a blob, counted and hashed as they pass; at the end they are what the descriptor
 * promises or the read fails. One thread reads; {@link #bytesRead} may be asked from any.
 */
final class BlobSource extends InputStream {
  private static final int DRAIN_BYTES = 1 << 16;

  private final Descriptor blob;
  private final InputStream in;
  private final MessageDigest sha256 = sha256();
  private volatile long bytesRead;
  private boolean verified;

  BlobSource(Descriptor blob, InputStream in) {
    this.blob = blob;
    this.in = in;
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
    if (verified) {
      return -1;
    }
    int n = readRaw(target, offset, length);
    if (n < 0) {
      verify();
      return -1;
    }
    sha256.update(target, offset, n);
    long total = bytesRead + n;
    bytesRead = total;
    if (total > blob.sizeBytes()) {
      throw new ImageException.Corrupt(
          "blob " + blob.digest() + " is longer than its " + blob.sizeBytes() + " bytes");
    }
    return n;
  }

  private int readRaw(byte[] target, int offset, int length) {
    try {
      int n = in.read(target, offset, length);
      if (n == 0) {
        throw new ImageException.Retryable(
            "blob " + blob.digest() + ": the source gave no bytes", null, null);
      }
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

  private void verify() {
    if (bytesRead != blob.sizeBytes()) {
      throw new ImageException.Corrupt(
          "blob "
              + blob.digest()
              + " ended after "
              + bytesRead
              + " of "
              + blob.sizeBytes()
              + " bytes");
    }
    Digest actual = Digest.ofBytes(sha256.digest());
    if (!actual.equals(blob.digest())) {
      throw new ImageException.Corrupt(
          "blob " + blob.digest() + " has bytes that hash to " + actual);
    }
    verified = true;
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

  static MessageDigest sha256() {
    try {
      return MessageDigest.getInstance("SHA-256");
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every JVM has SHA-256", e);
    }
  }
}
