package io.lamina.node.graphdriver;

import java.time.Duration;

/** Sees the engine's calls end. Called on the event loop, so it does not block. */
public interface CallObserver {
  /** Sees nothing. */
  CallObserver NONE =
      new CallObserver() {
        @Override
        public void ended(String call, Duration duration) {}

        @Override
        public void failed(String call) {}
      };

  /**
   * Its answer was written, whatever it was.
   *
   * @param call by its name in the protocol, such as {@code Get}
   */
  void ended(String call, Duration duration);

  /** It was refused, or broken off. */
  void failed(String call);
}
