package io.lamina.messaging;

import java.util.List;

/**
 * Does the work of one partition for as long as this process owns it. All methods are called by one
 * thread, the partition's own; state needs no locks.
 *
 * <p>After any failure the handler is closed, a new one is opened, and everything that was not
 * committed is handed over again: a handler never has to repair its own state.
 */
public interface PartitionHandler extends AutoCloseable {
  /** Makes the handler of a partition. */
  @FunctionalInterface
  interface Factory {
    /** Called on the partition's thread, before the first batch: the place to restore state. */
    PartitionHandler open(PartitionScope scope);
  }

  /**
   * Handles the next records in order. What was handed over counts as done once {@link
   * PartitionScope#commit} returns, in this call or a later one.
   *
   * @param batch at least one; tombstones have no event
   */
  void handle(List<Received> batch);

  /** Called when no record came for a while; may commit as well. */
  default void idle() {}

  /**
   * A record is set aside as a dead letter: the events that tell those who wait for it. They are
   * committed together with it.
   */
  default List<Outgoing> abandoned(Received record, Throwable cause) {
    return List.of();
  }

  /** The partition is given up or the handler has failed. */
  @Override
  default void close() {}
}
