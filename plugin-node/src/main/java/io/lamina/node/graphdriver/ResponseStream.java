package io.lamina.node.graphdriver;

import io.vertx.core.Context;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpServerResponse;
import java.io.IOException;
import java.io.OutputStream;
import java.util.Arrays;
import java.util.Objects;
import java.util.concurrent.Semaphore;
import java.util.concurrent.atomic.AtomicReference;

/**
 * An answer's body as a blocking stream. Nothing is sent before {@value #PART_BYTES} bytes are
 * there, so that what fails early can still become an error. At most {@value #WINDOW} parts are on
 * their way; then the writer waits for the engine.
 *
 * <p>Written by one thread; {@link #giveUp} may be called from any.
 */
final class ResponseStream extends OutputStream {
  private static final int PART_BYTES = 64 << 10;
  private static final int WINDOW = 16;

  private enum State {
    /** Nothing was sent; an error may be the answer. */
    SILENT,
    STARTED,
    GIVEN_UP
  }

  private final HttpServerResponse response;
  private final Context context;
  private final Semaphore window = new Semaphore(WINDOW);
  private final AtomicReference<State> state = new AtomicReference<>(State.SILENT);
  private byte[] part = new byte[PART_BYTES];
  private int filled;
  private volatile boolean gone;

  /** To be made on the response's context. */
  ResponseStream(HttpServerResponse response, Context context) {
    this.response = response;
    this.context = context;
    response.exceptionHandler(_ -> leave());
    response.closeHandler(_ -> leave());
  }

  private void leave() {
    gone = true;
    window.release(WINDOW);
  }

  /**
   * Ends what is written, from now on.
   *
   * @return whether nothing was sent, so that the answer is still free
   */
  boolean giveUp() {
    return state.compareAndSet(State.SILENT, State.GIVEN_UP);
  }

  @Override
  public void write(int b) throws IOException {
    write(new byte[] {(byte) b}, 0, 1);
  }

  @Override
  public void write(byte[] source, int offset, int length) throws IOException {
    Objects.checkFromIndexSize(offset, length, source.length);
    int from = offset;
    int left = length;
    while (left > 0) {
      int n = Math.min(left, PART_BYTES - filled);
      System.arraycopy(source, from, part, filled, n);
      filled += n;
      from += n;
      left -= n;
      if (filled == PART_BYTES) {
        send();
      }
    }
  }

  /** Parts are sent when they are full; the last one is sent by {@link #finish}. */
  @Override
  public void flush() {}

  private void start() throws IOException {
    if (!state.compareAndSet(State.SILENT, State.STARTED) && state.get() == State.GIVEN_UP) {
      throw new IOException("the answer came too late");
    }
  }

  private void send() throws IOException {
    try {
      window.acquire();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IOException("interrupted while the engine was slow to read", e);
    }
    if (gone) {
      throw new IOException("the engine stopped reading the answer");
    }
    start();
    Buffer buffer = Buffer.buffer(filled == PART_BYTES ? part : Arrays.copyOf(part, filled));
    part = new byte[PART_BYTES];
    filled = 0;
    context.runOnContext(
        _ -> {
          if (response.closed()) {
            leave();
            return;
          }
          if (!response.headWritten()) {
            response.setChunked(true);
          }
          response.write(buffer).onComplete(_ -> window.release());
        });
  }

  /** Sends the rest and ends the body as a complete one. */
  void finish() throws IOException {
    if (filled > 0) {
      send();
    }
    start();
    context.runOnContext(
        _ -> {
          if (!response.closed()) {
            response.end();
          }
        });
  }
}
