package io.lamina.standalone.client;

import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.net.http.HttpTimeoutException;
import java.time.Duration;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;

/**
 * An answer's body that fails with {@link HttpTimeoutException} when nothing comes for too long:
 * its reader must not wait for ever on a connection whose other end is gone. For one reading
 * thread.
 */
final class WatchedStream extends FilterInputStream {
  private static final ScheduledExecutorService TIMER =
      Executors.newSingleThreadScheduledExecutor(
          Thread.ofPlatform().daemon().name("gateway-client-watch").factory());

  private final long patienceNanos;
  private final ScheduledFuture<?> rounds;
  private volatile long waitsSince;
  private volatile boolean waits;
  private volatile boolean silent;

  WatchedStream(InputStream body, Duration patience) {
    super(body);
    this.patienceNanos = patience.toNanos();
    long pause = Math.max(1, patience.toMillis() / 4);
    this.rounds = TIMER.scheduleWithFixedDelay(this::look, pause, pause, TimeUnit.MILLISECONDS);
  }

  private void look() {
    if (waits && System.nanoTime() - waitsSince > patienceNanos) {
      silent = true;
      try {
        in.close(); // wakes the reader
      } catch (IOException e) {
        // The reader finds it closed all the same.
      }
    }
  }

  @Override
  public int read() throws IOException {
    byte[] one = new byte[1];
    return read(one, 0, 1) < 0 ? -1 : one[0] & 0xff;
  }

  @Override
  public int read(byte[] bytes, int offset, int length) throws IOException {
    waitsSince = System.nanoTime();
    waits = true;
    try {
      return in.read(bytes, offset, length);
    } catch (IOException e) {
      throw silent ? new HttpTimeoutException("nothing came for too long") : e;
    } finally {
      waits = false;
    }
  }

  @Override
  public void close() throws IOException {
    rounds.cancel(false);
    super.close();
  }
}
