package io.lamina.cvmfs.reader;

import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.net.http.HttpTimeoutException;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * Ends a read that waits for longer than the time-out by closing the stream under it: the HTTP
 * client's own time-out stops at the headers. On demand also ends a stream that drips: one that,
 * over time-outs spent on waiting, gave fewer bytes than it should. A reader that takes its time is
 * not disturbed.
 */
final class StallGuard extends FilterInputStream {
  private static final long IDLE = Long.MIN_VALUE;

  private final long timeoutNanos;
  private final long minBytesPerTimeout;
  private final String what;
  private final Executor later;
  private volatile long waitingSinceNanos = IDLE;
  private volatile boolean stalled;
  private volatile boolean closed;
  private long windowNanos; // of the reading thread
  private long windowBytes;

  StallGuard(InputStream in, Duration timeout, String what) {
    this(in, timeout, 0, what);
  }

  /**
   * @param minBytesPerSecond slower than this is as bad as nothing; 0 for any speed
   */
  StallGuard(InputStream in, Duration timeout, long minBytesPerSecond, String what) {
    super(in);
    this.timeoutNanos = timeout.toNanos();
    this.minBytesPerTimeout = minBytesPerSecond * timeout.toSeconds();
    this.what = what;
    this.later = CompletableFuture.delayedExecutor(timeoutNanos, TimeUnit.NANOSECONDS);
    later.execute(this::look);
  }

  @Override
  public int read() throws IOException {
    byte[] single = new byte[1];
    return read(single, 0, 1) < 0 ? -1 : single[0] & 0xff;
  }

  @Override
  public int read(byte[] target, int offset, int length) throws IOException {
    long start = System.nanoTime();
    waitingSinceNanos = start;
    try {
      int count = super.read(target, offset, length);
      failIfStalled(null);
      failIfSlow(System.nanoTime() - start, count);
      return count;
    } catch (HttpTimeoutException e) {
      throw e;
    } catch (IOException e) {
      failIfStalled(e);
      throw e;
    } finally {
      waitingSinceNanos = IDLE;
    }
  }

  @Override
  public void close() throws IOException {
    closed = true;
    super.close();
  }

  private void failIfSlow(long waitedNanos, int count) throws HttpTimeoutException {
    if (minBytesPerTimeout == 0 || count < 0) {
      return;
    }
    windowNanos += waitedNanos;
    windowBytes += count;
    if (windowNanos >= timeoutNanos) {
      if (windowBytes < minBytesPerTimeout) {
        throw new HttpTimeoutException(
            what
                + " sent only "
                + windowBytes
                + " bytes in "
                + TimeUnit.NANOSECONDS.toMillis(windowNanos)
                + " ms");
      }
      windowNanos = 0;
      windowBytes = 0;
    }
  }

  private void failIfStalled(@Nullable IOException cause) throws HttpTimeoutException {
    if (stalled) {
      HttpTimeoutException e =
          new HttpTimeoutException(
              what + " sent nothing for " + TimeUnit.NANOSECONDS.toMillis(timeoutNanos) + " ms");
      if (cause != null) {
        e.initCause(cause);
      }
      throw e;
    }
  }

  private void look() {
    if (closed) {
      return;
    }
    long since = waitingSinceNanos;
    if (since != IDLE && System.nanoTime() - since >= timeoutNanos) {
      stalled = true;
      try {
        in.close();
      } catch (IOException e) {
        // The waiting reader is told of the stall, which is the reason for closing.
      }
      return;
    }
    later.execute(this::look);
  }
}
