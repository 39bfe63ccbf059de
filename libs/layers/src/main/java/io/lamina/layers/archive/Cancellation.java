package io.lamina.layers.archive;

/** Asked often while a long work runs. */
@FunctionalInterface
public interface Cancellation {
  /**
   * @throws io.lamina.layers.LayersException.Cancelled if the work is to end
   */
  void check();
}
