package io.lamina.node.graphdriver;

import io.vertx.core.Context;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpServerRequest;
import java.io.IOException;
import java.io.InputStream;
import java.util.ArrayDeque;
import java.util.Objects;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/**
 * A request's body as a blocking stream. Only a complete body ends: one that broke off throws, for
 * ever. About {@value #HIGH_BYTES} bytes wait in memory at most; above that the sender waits.
 *
 * <p>To be made on the request's context; read by one thread at a time.
 */
final class RequestStream extends InputStream {
  private static final int HIGH_BYTES = 1 << 20;
  private static final int LOW_BYTES = HIGH_BYTES / 4;

  private final HttpServerRequest request;
  private final Context context;

  /** Guards all that follows but {@code position}, which is the reader's. */
  private final ReentrantLock lock = new ReentrantLock();

  private final Condition changed = lock.newCondition();
  private final ArrayDeque<Buffer> parts = new ArrayDeque<>();
  private int waitingBytes;
  private boolean paused;
  private boolean ended;
  private @Nullable Throwable broken;
  private int position;

  RequestStream(HttpServerRequest request, Context context) {
    this.request = request;
    this.context = context;
    request.handler(this::offer);
    request.endHandler(_ -> end(null));
    request.exceptionHandler(this::end);
  }

  private void offer(Buffer part) {
    if (part.length() == 0) {
      return;
    }
    lock.lock();
    try {
      parts.add(part);
      waitingBytes += part.length();
      if (waitingBytes > HIGH_BYTES && !paused) {
        paused = true;
        request.pause();
      }
      changed.signal();
    } finally {
      lock.unlock();
    }
  }

  private void end(@Nullable Throwable cause) {
    lock.lock();
    try {
      ended = true;
      if (broken == null) {
        broken = cause;
      }
      changed.signal();
    } finally {
      lock.unlock();
    }
  }

  @Override
  public int read() throws IOException {
    byte[] one = new byte[1];
    return read(one, 0, 1) < 0 ? -1 : one[0] & 0xff;
  }

  @Override
  public int read(byte[] target, int offset, int length) throws IOException {
    Objects.checkFromIndexSize(offset, length, target.length);
    if (length == 0) {
      return 0;
    }
    Buffer part = current();
    if (part == null) {
      return -1;
    }
    int n = Math.min(length, part.length() - position);
    part.getBytes(position, position + n, target, offset);
    consume(part, n);
    return n;
  }

  /**
   * Reads what is left and drops it.
   *
   * @throws IOException if the body breaks off
   */
  void drain() throws IOException {
    for (Buffer part = current(); part != null; part = current()) {
      consume(part, part.length() - position);
    }
  }

  private void consume(Buffer part, int bytes) {
    position += bytes;
    if (position < part.length()) {
      return;
    }
    position = 0;
    lock.lock();
    try {
      parts.remove();
      waitingBytes -= part.length();
      if (paused && waitingBytes < LOW_BYTES) {
        paused = false;
        context.runOnContext(_ -> request.resume());
      }
    } finally {
      lock.unlock();
    }
  }

  private @Nullable Buffer current() throws IOException {
    lock.lock();
    try {
      while (parts.isEmpty() && !ended) {
        changed.await();
      }
      // What arrived before a body broke off is worth nothing.
      if (broken != null) {
        throw new IOException("the engine broke the archive off", broken);
      }
      return parts.peek();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IOException("interrupted while waiting for the archive", e);
    } finally {
      lock.unlock();
    }
  }
}
