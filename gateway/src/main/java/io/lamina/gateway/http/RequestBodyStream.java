package io.lamina.gateway.http;

import io.vertx.core.Context;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpServerRequest;
import java.io.IOException;
import java.io.InputStream;
import java.time.Duration;
import java.util.Objects;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * A request's body as a blocking stream for a virtual thread. The next part is asked for when the
 * one before has been taken, so at most one waits in memory and a slow reader slows the sender
 * down.
 *
 * <p>To be made on the request's context; read by one thread.
 */
final class RequestBodyStream extends InputStream {
  private sealed interface Part {}

  private record Bytes(Buffer buffer) implements Part {}

  private record End() implements Part {}

  private record Failure(Throwable cause) implements Part {}

  private final HttpServerRequest request;
  private final Context context;
  private final long deadlineNanos;
  private final BlockingQueue<Part> parts = new LinkedBlockingQueue<>();
  private @Nullable Buffer current;
  private int position;
  private boolean ended;

  /**
   * @param deadline for the whole body
   */
  RequestBodyStream(HttpServerRequest request, Context context, Duration deadline) {
    this.request = request;
    this.context = context;
    this.deadlineNanos = System.nanoTime() + deadline.toNanos();
    request.pause();
    request.handler(buffer -> parts.add(new Bytes(buffer)));
    request.endHandler(end -> parts.add(new End()));
    request.exceptionHandler(e -> parts.add(new Failure(e)));
    request.fetch(1);
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
    Buffer buffer = currentBuffer();
    if (buffer == null) {
      return -1;
    }
    int n = Math.min(length, buffer.length() - position);
    buffer.getBytes(position, position + n, target, offset);
    position += n;
    if (position == buffer.length()) {
      current = null;
      context.runOnContext(next -> request.fetch(1));
    }
    return n;
  }

  private @Nullable Buffer currentBuffer() throws IOException {
    while (current == null && !ended) {
      switch (next()) {
        case Bytes(Buffer buffer) when buffer.length() > 0 -> {
          current = buffer;
          position = 0;
        }
        case Bytes empty -> context.runOnContext(next -> request.fetch(1));
        case End end -> ended = true;
        case Failure(Throwable cause) -> throw new IOException("the body broke off", cause);
      }
    }
    return current;
  }

  private Part next() throws IOException {
    try {
      Part part = parts.poll(deadlineNanos - System.nanoTime(), TimeUnit.NANOSECONDS);
      if (part == null) {
        throw new BodyTimeout();
      }
      return part;
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IOException("interrupted while reading a body", e);
    }
  }

  /** The body did not arrive in time. */
  static final class BodyTimeout extends IOException {
    private static final long serialVersionUID = 1L;

    BodyTimeout() {
      super("the body did not arrive in time");
    }
  }
}
