package io.lamina.messaging;

import java.util.List;
import java.util.Map;

/** What a {@link PartitionHandler} may do. Only for the partition's own thread. */
public interface PartitionScope {
  int partition();

  /**
   * Writes the events and marks all records handed over so far as done, both or neither. Notes
   * ({@link Topic#PENDING}) go to the partition with this number.
   *
   * @throws MessagingException.PartitionLost if somebody else owns the partition now; nothing was
   *     written
   * @throws MessagingException if it failed: let it pass, the worker starts the partition anew
   */
  void commit(List<Outgoing> events);

  /**
   * The latest event under each key of the partition with this number in another topic, in the
   * order in which they were written; what earlier owners committed is all there.
   */
  Map<String, Received> restore(Topic topic);

  /** Whether the handler should come to an end soon. */
  boolean isStopping();
}
