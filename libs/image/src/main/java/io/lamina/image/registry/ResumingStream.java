package io.lamina.image.registry;

import io.lamina.image.Descriptor;
import io.lamina.image.ImageException;
import java.io.IOException;
import java.io.InputStream;
import java.io.InterruptedIOException;
import java.time.Duration;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A blob's bytes over as many connections as it takes. Bounded: so many attempts without a new byte
 * as the policy has, and a hundred in all. Not thread-safe.
 */
final class ResumingStream extends InputStream {
  private static final Logger LOG = LoggerFactory.getLogger(ResumingStream.class);
  private static final int MAX_RESUMPTIONS = 100;

  /** Opens the blob at an offset, without attempts of its own. */
  interface Opener {
    InputStream openAt(long offset) throws IOException;
  }

  private final Descriptor blob;
  private final Opener opener;
  private final Backoff backoff;
  private InputStream current;
  private long position;
  private long positionOfLastFailure = -1;
  private int failuresHere;
  private int resumptions;
  private boolean isClosed;

  /**
   * @param first opened at byte 0
   */
  ResumingStream(Descriptor blob, InputStream first, Opener opener, Backoff backoff) {
    this.blob = blob;
    this.current = first;
    this.opener = opener;
    this.backoff = backoff;
  }

  @Override
  public int read() throws IOException {
    byte[] one = new byte[1];
    return read(one, 0, 1) < 0 ? -1 : one[0] & 0xff;
  }

  @Override
  public int read(byte[] buffer, int offset, int length) throws IOException {
    if (isClosed) {
      throw new IOException("the blob is closed");
    }
    while (true) {
      IOException failure;
      try {
        int n = current.read(buffer, offset, length);
        if (n >= 0 || position >= blob.sizeBytes()) {
          position += Math.max(n, 0);
          return n;
        }
        failure =
            new IOException(
                "the connection ended after " + position + " of " + blob.sizeBytes() + " bytes");
      } catch (InterruptedIOException e) {
        throw e;
      } catch (IOException e) {
        if (position >= blob.sizeBytes()) {
          return -1; // All bytes are here; how the connection ends does not matter.
        }
        failure = e;
      }
      reopen(failure);
    }
  }

  private void reopen(IOException broken) throws IOException {
    current.close();
    IOException failure = broken;
    while (true) {
      failuresHere = position > positionOfLastFailure ? 1 : failuresHere + 1;
      positionOfLastFailure = position;
      resumptions++;
      await(failure);
      try {
        current = opener.openAt(position);
        LOG.atDebug()
            .addKeyValue("digest", blob.digest())
            .addKeyValue("position", position)
            .log("blob resumed");
        return;
      } catch (ImageException.Retryable e) {
        failure = new IOException(e.getMessage(), e);
      } catch (ImageException e) {
        throw new IOException(e.getMessage(), e);
      } catch (IOException e) {
        failure = e;
      }
    }
  }

  private void await(IOException failure) throws IOException {
    String what =
        "blob "
            + blob.digest()
            + " broke off at byte "
            + position
            + " of "
            + blob.sizeBytes()
            + " for the "
            + resumptions
            + ". time: "
            + failure.getMessage();
    @Nullable Duration asked =
        failure.getCause() instanceof ImageException.Retryable own
            ? own.retryAfter().orElse(null)
            : null;
    ImageException.Retryable retryable = new ImageException.Retryable(what, failure, asked);
    try {
      if (resumptions > MAX_RESUMPTIONS) {
        throw retryable;
      }
      backoff.awaitNext(failuresHere, retryable);
    } catch (ImageException.Retryable e) {
      throw new IOException(e.getMessage(), e);
    }
  }

  @Override
  public void close() throws IOException {
    isClosed = true;
    current.close();
  }
}
