package io.lamina.node.snapshot;

import java.time.Duration;

/** Is told of each call that ends. Thread-safe. */
@FunctionalInterface
public interface SnapshotObserver {
  /**
   * @param call the method's name
   * @param succeeded whether it gave no error; also what containerd expects, such as that a layer
   *     need not be pulled, is one
   */
  void ended(String call, Duration duration, boolean succeeded);
}
