package io.lamina.image.manifest;

import io.lamina.image.Descriptor;
import io.lamina.image.Digest;
import io.lamina.image.ImageException;
import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.security.MessageDigest;
import org.jspecify.annotations.Nullable;

/**
 * Passes a blob's bytes on and compares size and digest at its end. A blob that is longer than
 * promised fails at the first byte too many; one that is shorter or different fails instead of
 * ending. Not thread-safe; closing early verifies nothing.
 */
public final class VerifyingStream extends FilterInputStream {
  private final Descriptor expected;
  private final MessageDigest hasher = Digest.newSha256();
  private long count;
  private boolean isVerified;
  private ImageException.@Nullable Corrupt failure;

  /** A stream that verifies; the same one if it verifies this blob already. */
  public static VerifyingStream of(InputStream content, Descriptor expected) {
    return content instanceof VerifyingStream known && known.expected.equals(expected)
        ? known
        : new VerifyingStream(content, expected);
  }

  public VerifyingStream(InputStream content, Descriptor expected) {
    super(content);
    this.expected = expected;
  }

  @Override
  public int read() throws IOException {
    byte[] one = new byte[1];
    return read(one, 0, 1) < 0 ? -1 : one[0] & 0xff;
  }

  @Override
  public int read(byte[] buffer, int offset, int length) throws IOException {
    if (failure != null) {
      throw new IOException(failure.getMessage(), failure);
    }
    if (length == 0) {
      return 0;
    }
    int n = super.read(buffer, offset, length);
    if (n < 0) {
      verify();
      return -1;
    }
    count += n;
    if (count > expected.sizeBytes()) {
      throw fail("has more bytes than the promised " + expected.sizeBytes());
    }
    hasher.update(buffer, offset, n);
    return n;
  }

  private void verify() throws IOException {
    if (isVerified) {
      return;
    }
    if (count != expected.sizeBytes()) {
      throw fail("ends after " + count + " of " + expected.sizeBytes() + " bytes");
    }
    Digest actual = Digest.ofBytes(hasher.digest());
    if (!actual.equals(expected.digest())) {
      throw fail("has the digest " + actual);
    }
    isVerified = true;
  }

  private IOException fail(String how) {
    failure = new ImageException.Corrupt("blob " + expected.digest() + " " + how);
    return new IOException(failure.getMessage(), failure);
  }

  @Override
  public long skip(long n) throws IOException {
    byte[] scratch = new byte[8192];
    long left = n;
    while (left > 0) {
      int read = read(scratch, 0, (int) Math.min(scratch.length, left));
      if (read < 0) {
        break;
      }
      left -= read;
    }
    return n - left;
  }

  @Override
  public boolean markSupported() {
    return false;
  }
}
