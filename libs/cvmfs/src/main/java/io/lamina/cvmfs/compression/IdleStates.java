package io.lamina.cvmfs.compression;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * States of a compressor that wait for their next call. Holds at most as many as calls ran at once.
 *
 * <p>Thread-safe; all fields are guarded by the instance's lock.
 */
final class IdleStates<S> {
  private final Supplier<S> creator;
  private final Consumer<S> destroyer;
  private final Deque<S> idle = new ArrayDeque<>();
  private boolean closed;

  IdleStates(Supplier<S> creator, Consumer<S> destroyer) {
    this.creator = creator;
    this.destroyer = destroyer;
  }

  S borrow() {
    S state = pollIdle();
    return state != null ? state : creator.get();
  }

  void giveBack(S state) {
    synchronized (this) {
      if (!closed) {
        idle.push(state);
        return;
      }
    }
    destroyer.accept(state);
  }

  void close() {
    synchronized (this) {
      closed = true;
    }
    for (S state = takeAny(); state != null; state = takeAny()) {
      destroyer.accept(state);
    }
  }

  private synchronized @Nullable S pollIdle() {
    if (closed) {
      throw new IllegalStateException("the compressor is closed");
    }
    return idle.poll();
  }

  private synchronized @Nullable S takeAny() {
    return idle.poll();
  }
}
