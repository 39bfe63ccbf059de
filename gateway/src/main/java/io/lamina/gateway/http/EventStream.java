package io.lamina.gateway.http;

import io.lamina.gateway.live.LiveEvent;
import io.vertx.core.Context;
import io.vertx.core.Vertx;
import io.vertx.core.http.HttpServerResponse;
import java.time.Duration;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.Predicate;

/**
 * One reader of server-sent events. Events may come on any thread and wait in a bounded queue; all
 * writing happens on the response's context, as fast as the reader takes it. A reader for whom too
 * many wait is cut off.
 */
final class EventStream {
  private final Vertx vertx;
  private final Context context;
  private final HttpServerResponse response;
  private final Function<LiveEvent, String> ids;
  private final Predicate<LiveEvent> last;
  private final int backlog;
  private final long heartbeatTimer;
  private final Consumer<LiveEvent> watcher;
  private final Queue<LiveEvent> waiting = new ConcurrentLinkedQueue<>();
  private final AtomicInteger waitingCount = new AtomicInteger();
  private final AtomicBoolean draining = new AtomicBoolean();
  private final AtomicBoolean begun = new AtomicBoolean();

  // Only touched on the context.
  private Runnable closed = () -> {};
  private boolean ended;

  /** To be made on the request's context. */
  EventStream(
      Vertx vertx,
      HttpServerResponse response,
      Function<LiveEvent, String> ids,
      Predicate<LiveEvent> filter,
      Predicate<LiveEvent> last,
      int backlog,
      Duration heartbeat) {
    this.vertx = vertx;
    this.context = vertx.getOrCreateContext();
    this.response = response;
    this.ids = ids;
    this.last = last;
    this.backlog = backlog;
    this.watcher =
        event -> {
          if (filter.test(event)) {
            offer(event);
          }
        };
    response
        .setChunked(true)
        .putHeader("Content-Type", "text/event-stream")
        .putHeader("Cache-Control", "no-store")
        .putHeader("X-Accel-Buffering", "no");
    response.closeHandler(gone -> end());
    response.endHandler(gone -> end());
    response.exceptionHandler(gone -> end());
    this.heartbeatTimer =
        vertx.setPeriodic(
            heartbeat.toMillis(),
            id -> {
              if (!response.writeQueueFull()) {
                response.write(":\n\n");
              }
            });
  }

  Consumer<LiveEvent> watcher() {
    return watcher;
  }

  /** Called once, when nothing is written any more. */
  void onClose(Runnable action) {
    closed = action;
  }

  /** Starts with events that were missed. */
  void begin(List<LiveEvent> missed) {
    response.write(":\n\n");
    // Before the start the bound of the waiting does not count: the history has its own.
    missed.forEach(watcher);
    start();
  }

  /** Starts with an event made for this reader. */
  void begin(String id, String name, String data) {
    response.write(frame(id, name, data));
    start();
  }

  private void start() {
    begun.set(true);
    drain();
  }

  /** Ends the stream after what was written; on any thread. */
  void finish() {
    context.runOnContext(
        now -> {
          if (!ended) {
            response.end();
            end();
          }
        });
  }

  private void offer(LiveEvent event) {
    waiting.add(event);
    if (waitingCount.incrementAndGet() > backlog && begun.get()) {
      context.runOnContext(now -> cutOff());
    } else if (draining.compareAndSet(false, true)) {
      context.runOnContext(now -> drain());
    }
  }

  private void drain() {
    draining.set(false);
    if (!begun.get()) {
      return;
    }
    while (!ended) {
      if (response.writeQueueFull()) {
        response.drainHandler(room -> drain());
        return;
      }
      LiveEvent event = waiting.poll();
      if (event == null) {
        return;
      }
      waitingCount.decrementAndGet();
      response.write(frame(ids.apply(event), event.kind().wireName(), event.data()));
      if (last.test(event)) {
        response.end();
        end();
      }
    }
  }

  private void cutOff() {
    if (!ended) {
      response.reset();
      end();
    }
  }

  private void end() {
    if (!ended) {
      ended = true;
      vertx.cancelTimer(heartbeatTimer);
      waiting.clear();
      closed.run();
    }
  }

  private static String frame(String id, String name, String data) {
    return "id: " + id + "\nevent: " + name + "\ndata: " + data + "\n\n";
  }
}
