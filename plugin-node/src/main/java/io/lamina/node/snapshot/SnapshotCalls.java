package io.lamina.node.snapshot;

import io.grpc.Status;
import io.grpc.stub.StreamObserver;
import java.time.Duration;
import java.util.concurrent.Callable;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.SynchronousQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.slf4j.event.Level;

/**
 * Runs calls, each on a thread of the system of its own: system calls hold on to the few carriers
 * of virtual threads, and a hung network file system would take them all. A call that takes too
 * long is answered with an error and interrupted, and what it still does is undone. At the bound
 * calls are refused. Thread-safe.
 */
final class SnapshotCalls implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(SnapshotCalls.class);
  private static final int STACK_BYTES = 512 << 10;
  private static final Duration IDLE = Duration.ofSeconds(30);
  private static final Duration STOP = Duration.ofSeconds(4);

  private final int max;
  private final Duration deadline;
  private final SnapshotObserver observer;
  private final ThreadPoolExecutor threads;
  private final ScheduledThreadPoolExecutor timer;

  /**
   * @param max calls at once, those included that were answered because they took too long
   */
  SnapshotCalls(int max, Duration deadline, SnapshotObserver observer) {
    this.max = max;
    this.deadline = deadline;
    this.observer = observer;
    this.threads =
        new ThreadPoolExecutor(
            0,
            max,
            IDLE.toMillis(),
            TimeUnit.MILLISECONDS,
            new SynchronousQueue<>(),
            Thread.ofPlatform().name("snapshot-", 0).stackSize(STACK_BYTES).daemon().factory());
    this.timer =
        new ScheduledThreadPoolExecutor(
            1, Thread.ofPlatform().name("snapshot-deadlines").daemon().factory());
    timer.setRemoveOnCancelPolicy(true);
  }

  /** Calls under way. */
  int inUse() {
    return threads.getActiveCount();
  }

  int max() {
    return max;
  }

  /**
   * Answers with what the work returns, or with its error.
   *
   * @param undo what is to be done if the work succeeds after its deadline
   */
  <T> void answer(String call, StreamObserver<T> to, Callable<T> work, Runnable undo) {
    run(
        call,
        to,
        () -> {
          T answer = work.call();
          return once -> {
            once.onNext(answer);
            once.onCompleted();
          };
        },
        undo);
  }

  /** The same for answers in several parts. */
  <T> void stream(String call, StreamObserver<T> to, Callable<Iterable<T>> work) {
    run(
        call,
        to,
        () -> {
          Iterable<T> parts = work.call();
          return once -> {
            parts.forEach(once::onNext);
            once.onCompleted();
          };
        },
        () -> {});
  }

  private <T> void run(
      String call,
      StreamObserver<T> to,
      Callable<Consumer<StreamObserver<T>>> work,
      Runnable undo) {
    Running<T> running = new Running<>(call, to, undo);
    try {
      threads.execute(() -> running.run(work));
    } catch (RejectedExecutionException e) {
      running.fail(
          new SnapshotException.Exhausted(
              max + " calls are under way, which is the bound; try again later", null));
    }
  }

  /** One call: whoever is first, the work or its deadline, answers. */
  private final class Running<T> {
    private final String call;
    private final StreamObserver<T> to;
    private final Runnable undo;
    private final long startNanos = System.nanoTime();
    private final AtomicBoolean answered = new AtomicBoolean();

    private @Nullable Thread thread;

    Running(String call, StreamObserver<T> to, Runnable undo) {
      this.call = call;
      this.to = to;
      this.undo = undo;
    }

    void run(Callable<Consumer<StreamObserver<T>>> work) {
      ScheduledFuture<?> late =
          timer.schedule(this::giveUp, deadline.toMillis(), TimeUnit.MILLISECONDS);
      try {
        Consumer<StreamObserver<T>> answer = onThisThread(work);
        if (answered.compareAndSet(false, true)) {
          observer.ended(call, elapsed(), true);
          answer.accept(to);
        } else {
          LOG.atWarn().addKeyValue("call", call).log("call ended after its deadline; undone");
          undo.run();
        }
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        fail(e);
      } catch (Exception | StackOverflowError | OutOfMemoryError | LinkageError e) { // the top
        fail(e);
      } finally {
        late.cancel(false);
      }
    }

    private Consumer<StreamObserver<T>> onThisThread(Callable<Consumer<StreamObserver<T>>> work)
        throws Exception {
      synchronized (this) {
        thread = Thread.currentThread();
      }
      try {
        return work.call();
      } finally {
        synchronized (this) {
          thread = null;
          // The next call on this thread, and the undoing of this one, start afresh.
          Thread.interrupted();
        }
      }
    }

    private void giveUp() {
      if (answered.compareAndSet(false, true)) {
        send(
            new SnapshotException.Unavailable(
                call + " took longer than " + deadline.toSeconds() + " s", null));
        synchronized (this) {
          if (thread != null) {
            thread.interrupt();
          }
        }
      }
    }

    void fail(Throwable failure) {
      if (answered.compareAndSet(false, true)) {
        send(failure);
      } else {
        LOG.atWarn()
            .addKeyValue("call", call)
            .addKeyValue("failure", failure.toString())
            .log("call failed after it was answered");
      }
    }

    private void send(Throwable failure) {
      Status status = status(call, failure);
      observer.ended(call, elapsed(), false);
      to.onError(status.asRuntimeException());
    }

    private Duration elapsed() {
      return Duration.ofNanos(System.nanoTime() - startNanos);
    }
  }

  private static Status status(String call, Throwable failure) {
    if (!(failure instanceof SnapshotException e)) {
      LOG.atError().addKeyValue("call", call).setCause(failure).log("call failed");
      return Status.INTERNAL.withDescription(call + ": internal error: " + failure);
    }
    Status status =
        switch (e) {
          case SnapshotException.NotFound _ -> Status.NOT_FOUND;
          case SnapshotException.AlreadyExists _ -> Status.ALREADY_EXISTS;
          case SnapshotException.FailedPrecondition _ -> Status.FAILED_PRECONDITION;
          case SnapshotException.Invalid _ -> Status.INVALID_ARGUMENT;
          case SnapshotException.Unavailable _ -> Status.UNAVAILABLE;
          case SnapshotException.Exhausted _ -> Status.RESOURCE_EXHAUSTED;
          case SnapshotException.Failed _ -> Status.UNKNOWN;
        };
    boolean expected =
        e instanceof SnapshotException.NotFound || e instanceof SnapshotException.AlreadyExists;
    LOG.atLevel(expected ? Level.DEBUG : Level.WARN)
        .addKeyValue("call", call)
        .addKeyValue("status", status.getCode())
        .addKeyValue("reason", e.getMessage())
        .log("call refused");
    return status.withDescription(e.getMessage());
  }

  @Override
  public void close() {
    timer.shutdownNow();
    threads.shutdown();
    try {
      if (!threads.awaitTermination(STOP.toMillis(), TimeUnit.MILLISECONDS)) {
        LOG.atWarn().addKeyValue("calls", inUse()).log("calls did not end in time; left");
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
