package io.lamina.gateway;

import io.lamina.gateway.problem.GatewayException;
import io.lamina.gateway.request.EventFeed;
import io.lamina.gateway.request.RequestLog;
import io.lamina.gateway.request.TraceContext;
import io.lamina.messaging.event.Event;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Consumer;

/** The topics as a list: what is appended is remembered, and folded by every feed. Thread-safe. */
public final class InMemoryLog implements RequestLog {
  private final List<Event> events = new ArrayList<>();
  private final List<TraceContext> traces = new ArrayList<>();
  private final List<Consumer<Event>> readers = new ArrayList<>();
  private boolean isBroken;

  @Override
  public synchronized CompletionStage<Void> append(List<Event> toAppend, TraceContext trace) {
    if (isBroken) {
      return CompletableFuture.failedStage(
          new GatewayException.Retryable("the log cannot be reached", null));
    }
    toAppend.forEach(this::say);
    traces.add(trace);
    return CompletableFuture.completedStage(null);
  }

  /** What another process says. */
  public synchronized void say(Event event) {
    events.add(event);
    readers.forEach(r -> r.accept(event));
  }

  /** From now on nothing can be appended. */
  public synchronized void breakDown() {
    isBroken = true;
  }

  public synchronized List<Event> events() {
    return List.copyOf(events);
  }

  public synchronized List<TraceContext> traces() {
    return List.copyOf(traces);
  }

  private synchronized void read(Consumer<Event> fold) {
    events.forEach(fold);
    readers.add(fold);
  }

  private synchronized void leave(Consumer<Event> fold) {
    readers.remove(fold);
  }

  /** A feed that has caught up at once, or, if {@code isHeldBack}, when told to. */
  public Feed feed(boolean isHeldBack) {
    return new Feed(isHeldBack);
  }

  /** Reads the log from its start. */
  public final class Feed implements EventFeed {
    private volatile boolean ready;
    private final boolean heldBack;
    private volatile Consumer<Event> reader = e -> {};
    private volatile Runnable caughtUp = () -> {};

    Feed(boolean heldBack) {
      this.heldBack = heldBack;
    }

    @Override
    public void start(Consumer<Event> fold, Runnable whenCaughtUp) {
      reader = fold;
      caughtUp = whenCaughtUp;
      if (!heldBack) {
        catchUp();
      }
    }

    public void catchUp() {
      read(reader);
      caughtUp.run();
      ready = true;
    }

    @Override
    public List<Check> checks() {
      return List.of(new Check("status", ready, ready ? "all read" : "reading"));
    }

    @Override
    public void close() {
      leave(reader);
    }
  }
}
