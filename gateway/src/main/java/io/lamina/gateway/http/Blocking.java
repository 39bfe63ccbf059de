package io.lamina.gateway.http;

import io.vertx.core.Context;
import io.vertx.core.Future;
import io.vertx.core.Promise;
import io.vertx.core.Vertx;
import java.time.Duration;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;

/**
 * Runs what blocks on virtual threads and hands the result back to the caller's context. How many
 * run is bounded by the limits of those who call. Thread-safe.
 */
final class Blocking implements AutoCloseable {
  private final Vertx vertx;
  private final ExecutorService threads =
      Executors.newThreadPerTaskExecutor(Thread.ofVirtual().name("gateway-blocking-", 0).factory());

  Blocking(Vertx vertx) {
    this.vertx = vertx;
  }

  <T> Future<T> call(Callable<T> work) {
    Context context = vertx.getOrCreateContext();
    Promise<T> promise = Promise.promise();
    try {
      threads.execute(
          () -> {
            try {
              T result = work.call();
              context.runOnContext(done -> promise.complete(result));
            } catch (InterruptedException e) {
              Thread.currentThread().interrupt();
              context.runOnContext(done -> promise.fail(e));
            } catch (Exception e) { // the top of this thread
              context.runOnContext(done -> promise.fail(e));
            }
          });
    } catch (RejectedExecutionException e) {
      promise.fail(e);
    }
    return promise.future();
  }

  @Override
  public void close() {
    threads.shutdownNow();
    try {
      threads.awaitTermination(Duration.ofSeconds(5).toMillis(), TimeUnit.MILLISECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
