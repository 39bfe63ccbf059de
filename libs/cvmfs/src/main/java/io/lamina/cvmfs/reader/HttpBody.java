package io.lamina.cvmfs.reader;

import java.io.FilterInputStream;
import java.io.IOException;
import java.net.HttpURLConnection;
import java.net.SocketTimeoutException;
import java.net.http.HttpTimeoutException;
import java.util.concurrent.TimeUnit;

/**
 * The body of an answer. Reading fails where the server sends nothing for a whole time-out, where
 * it ends before its length, and on demand where it drips: where, over time-outs spent on waiting,
 * it gave fewer bytes than it should. A reader that takes its time is not disturbed. Not
 * thread-safe.
 */
final class HttpBody extends FilterInputStream {
  private static final long UNKNOWN = -1;

  private final HttpURLConnection answer;
  private final long timeoutNanos;
  private final long minBytesPerTimeout;
  private final String what;
  private final Runnable whenClosed;
  private long leftBytes;
  private long windowNanos;
  private long windowBytes;
  private boolean isReusable;

  HttpBody(HttpURLConnection answer, HttpTransfer transfer, String what, Runnable whenClosed)
      throws IOException {
    super(answer.getInputStream());
    this.answer = answer;
    this.timeoutNanos = transfer.timeout().toNanos();
    this.minBytesPerTimeout = transfer.minBytesPerSecond() * transfer.timeout().toSeconds();
    this.what = what;
    this.whenClosed = whenClosed;
    this.leftBytes = answer.getContentLengthLong();
  }

  @Override
  public int read() throws IOException {
    byte[] single = new byte[1];
    return read(single, 0, 1) < 0 ? -1 : single[0] & 0xff;
  }

  @Override
  public int read(byte[] target, int offset, int length) throws IOException {
    long start = System.nanoTime();
    try {
      int count = super.read(target, offset, length);
      failIfCut(count);
      failIfSlow(System.nanoTime() - start, count);
      return count;
    } catch (SocketTimeoutException e) {
      HttpTimeoutException stalled =
          new HttpTimeoutException(
              what + " sent nothing for " + TimeUnit.NANOSECONDS.toMillis(timeoutNanos) + " ms");
      stalled.initCause(e);
      throw stalled;
    }
  }

  /** The JDK takes a connection that breaks for the end. */
  private void failIfCut(int count) throws IOException {
    if (count < 0 && leftBytes > 0) {
      throw new IOException(what + " broke off " + leftBytes + " bytes before its end");
    }
    if (leftBytes != UNKNOWN) {
      leftBytes -= Math.max(count, 0);
    }
    isReusable = count < 0 || leftBytes == 0;
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

  /** What was read to its end leaves the connection for the next request. */
  @Override
  public void close() throws IOException {
    whenClosed.run();
    if (!isReusable) {
      answer.disconnect();
    }
    super.close();
  }
}
