package io.lamina.image.registry;

import java.io.IOException;
import java.io.InputStream;
import java.io.InterruptedIOException;
import java.net.http.HttpResponse;
import java.net.http.HttpTimeoutException;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Flow;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * A response's body as a stream that fails when nothing arrives for a while; the JDK's own would
 * wait for ever. At most a few buffers are in memory. One thread reads; any may close.
 */
final class BodyStream extends InputStream implements HttpResponse.BodySubscriber<InputStream> {
  /** Buffer lists that may lie ready; each holds what one network read gave. */
  private static final int WINDOW = 8;

  private sealed interface Signal {}

  private record Data(List<ByteBuffer> buffers) implements Signal {}

  private record End(@Nullable Throwable failure) implements Signal {}

  private final Duration stall;

  /** Never longer than the window and one end, since the publisher keeps to what was asked for. */
  private final BlockingQueue<Signal> signals = new LinkedBlockingQueue<>();

  private final CompletableFuture<Flow.Subscription> subscribed = new CompletableFuture<>();
  private final Deque<ByteBuffer> ready = new ArrayDeque<>();
  private volatile boolean isClosed;
  private @Nullable End end;

  BodyStream(Duration stall) {
    this.stall = stall;
  }

  @Override
  public CompletionStage<InputStream> getBody() {
    return CompletableFuture.completedStage(this);
  }

  @Override
  public void onSubscribe(Flow.Subscription subscription) {
    if (!subscribed.complete(subscription) || isClosed) {
      subscription.cancel();
      return;
    }
    subscription.request(WINDOW);
  }

  @Override
  public void onNext(List<ByteBuffer> buffers) {
    signals.add(new Data(buffers));
  }

  @Override
  public void onError(Throwable failure) {
    signals.add(new End(failure));
  }

  @Override
  public void onComplete() {
    signals.add(new End(null));
  }

  @Override
  public int read() throws IOException {
    byte[] one = new byte[1];
    return read(one, 0, 1) < 0 ? -1 : one[0] & 0xff;
  }

  @Override
  public int read(byte[] buffer, int offset, int length) throws IOException {
    if (length == 0) {
      return 0;
    }
    if (!fill()) {
      return -1;
    }
    ByteBuffer first = ready.element();
    int n = Math.min(length, first.remaining());
    first.get(buffer, offset, n);
    if (!first.hasRemaining()) {
      ready.remove();
    }
    return n;
  }

  @Override
  public int available() {
    ByteBuffer first = ready.peek();
    return first == null ? 0 : first.remaining();
  }

  /** Makes a byte ready; false at the end. */
  private boolean fill() throws IOException {
    while (ready.isEmpty()) {
      if (isClosed) {
        throw new IOException("the body is closed");
      }
      End ended = end;
      if (ended != null) {
        Throwable failure = ended.failure();
        if (failure != null) {
          throw new IOException("the connection broke: " + failure.getMessage(), failure);
        }
        return false;
      }
      switch (next()) {
        case Data(List<ByteBuffer> buffers) -> {
          buffers.stream().filter(ByteBuffer::hasRemaining).forEach(ready::add);
          subscribed.join().request(1);
        }
        case End last -> end = last;
      }
    }
    return true;
  }

  private Signal next() throws IOException {
    try {
      Signal signal = signals.poll(stall.toNanos(), TimeUnit.NANOSECONDS);
      if (signal == null) {
        close();
        throw new HttpTimeoutException("no data for " + stall);
      }
      return signal;
    } catch (InterruptedException e) {
      close();
      Thread.currentThread().interrupt();
      throw new InterruptedIOException("interrupted while reading a body");
    }
  }

  /** Drops the connection if the body has not been read to its end. */
  @Override
  public void close() {
    isClosed = true;
    signals.clear();
    signals.add(new End(new IOException("the body was closed")));
    if (subscribed.isDone()) {
      subscribed.join().cancel();
    }
  }
}
