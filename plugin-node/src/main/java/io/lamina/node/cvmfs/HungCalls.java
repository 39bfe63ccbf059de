package io.lamina.node.cvmfs;

import io.lamina.layers.LayersException;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Supplier;

/**
 * Runs what may hang in the kernel on a thread that is left alone when it does: nothing can
 * interrupt a call into a file system whose server does not answer. Stateless.
 */
final class HungCalls {
  private HungCalls() {}

  /** On a thread of its own; one that hangs does not keep the process from ending. */
  static <T> CompletableFuture<T> start(String what, Supplier<T> call) {
    CompletableFuture<T> result = new CompletableFuture<>();
    Thread.ofPlatform()
        .daemon()
        .name(what)
        .start(
            () -> {
              try {
                result.complete(call.get());
              } catch (RuntimeException e) { // the top of this thread
                result.completeExceptionally(e);
              }
            });
    return result;
  }

  /**
   * Waits; what is under way goes on after the deadline.
   *
   * @throws LayersException what the call threw, or {@code Unavailable} when the time is over
   */
  static <T> T await(CompletableFuture<T> call, String what, Duration deadline) {
    try {
      return call.get(deadline.toNanos(), TimeUnit.NANOSECONDS);
    } catch (TimeoutException e) {
      throw new LayersException.Unavailable(
          what + " did not answer within " + deadline.toMillis() + " ms");
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new LayersException.Cancelled("interrupted while waiting for " + what);
    } catch (ExecutionException e) {
      if (e.getCause() instanceof LayersException failure) {
        throw failure;
      }
      throw new LayersException.Unavailable(what + ": " + e.getCause(), e.getCause());
    }
  }
}
