package io.lamina.node.graphdriver;

import io.vertx.core.Context;
import io.vertx.core.Future;
import io.vertx.core.Promise;
import io.vertx.core.Vertx;
import java.time.Duration;
import java.util.concurrent.Callable;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.SynchronousQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Runs what blocks, each call on a thread of its own at once: the engine feeds the archive of one
 * call into another, so no call may wait for a thread that another one holds. They are threads of
 * the system and not virtual ones, because system calls hold on to the few carriers of those, and a
 * hung network file system would take them all.
 *
 * <p>At the bound calls are refused. Thread-safe.
 */
final class CallThreads implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(CallThreads.class);
  private static final int STACK_BYTES = 512 << 10;
  private static final Duration IDLE = Duration.ofSeconds(30);
  private static final Duration STOP = Duration.ofSeconds(4);

  private final Vertx vertx;
  private final int max;
  private final ThreadPoolExecutor threads;

  /**
   * @param max calls at once, those included whose answer came too late
   */
  CallThreads(Vertx vertx, int max) {
    this.vertx = vertx;
    this.max = max;
    this.threads =
        new ThreadPoolExecutor(
            0,
            max,
            IDLE.toMillis(),
            TimeUnit.MILLISECONDS,
            new SynchronousQueue<>(),
            Thread.ofPlatform().name("call-", 0).stackSize(STACK_BYTES).daemon().factory());
  }

  /** Without a deadline: the archive's other end decides how long it takes. */
  <T> Future<T> call(Callable<T> work) {
    Context context = vertx.getOrCreateContext();
    Promise<T> promise = Promise.promise();
    start(
        promise,
        () -> {
          T result = work.call();
          context.runOnContext(_ -> promise.complete(result));
        },
        failure -> context.runOnContext(_ -> promise.tryFail(failure)));
    return promise.future();
  }

  /**
   * Fails with {@link DriverException.Retryable} when the time is over, and interrupts the work,
   * which may go on nevertheless.
   *
   * @param what for messages
   * @param undo gets the result of work that ended too late
   */
  <T> Future<T> call(String what, Duration deadline, Callable<T> work, Consumer<T> undo) {
    Context context = vertx.getOrCreateContext();
    Promise<T> promise = Promise.promise();
    AtomicBoolean answered = new AtomicBoolean();
    Runner runner = new Runner();
    long timer =
        vertx.setTimer(
            deadline.toMillis(),
            _ -> {
              if (answered.compareAndSet(false, true)) {
                promise.tryFail(
                    new DriverException.Retryable(
                        what + " took longer than " + deadline.toSeconds() + " s"));
                runner.interrupt();
              }
            });
    start(
        promise,
        () -> {
          T result = runner.call(work);
          if (answered.compareAndSet(false, true)) {
            context.runOnContext(_ -> promise.complete(result));
          } else {
            LOG.atWarn().addKeyValue("call", what).log("call ended after its deadline; undone");
            undo.accept(result);
          }
        },
        failure -> {
          if (answered.compareAndSet(false, true)) {
            context.runOnContext(_ -> promise.tryFail(failure));
          } else {
            LOG.atWarn()
                .addKeyValue("call", what)
                .addKeyValue("failure", failure.toString())
                .log("call failed after its deadline");
          }
        });
    return promise.future().onComplete(_ -> vertx.cancelTimer(timer));
  }

  /** The thread of one call, for as long as it is the call's. Thread-safe. */
  private static final class Runner {
    private @Nullable Thread thread;

    <T> T call(Callable<T> work) throws Exception {
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

    synchronized void interrupt() {
      if (thread != null) {
        thread.interrupt();
      }
    }
  }

  /** What may be thrown by work. */
  private interface Work {
    void run() throws Exception;
  }

  private void start(Promise<?> promise, Work work, Consumer<Throwable> failed) {
    try {
      threads.execute(
          () -> {
            try {
              work.run();
            } catch (InterruptedException e) {
              Thread.currentThread().interrupt();
              failed.accept(e);
            } catch (Exception
                | StackOverflowError
                | OutOfMemoryError
                | LinkageError e) { // the top
              failed.accept(e);
            }
          });
    } catch (RejectedExecutionException e) {
      promise.tryFail(
          new DriverException.Retryable(
              max + " calls are under way, which is the bound; try again later"));
    }
  }

  /** Calls under way. */
  int inUse() {
    return threads.getActiveCount();
  }

  @Override
  public void close() {
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
