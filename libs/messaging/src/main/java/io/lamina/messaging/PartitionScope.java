package io.lamina.messaging;

import java.util.Collection;
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
   * Writes the events and marks these records as done, both or neither; for handlers that finish
   * records in another order than they came. The offset follows up to the first record that is not
   * done: after a failure the records from there on are handed over again, done or not.
   *
   * @param done records handed over and not marked before
   */
  void commit(List<Outgoing> events, Collection<Received.Position> done);

  /**
   * Makes sure that this is still the partition's owner. To be called before an effect outside
   * Kafka that a former owner must not have, after what the effect is conditional on was read: who
   * becomes the owner later finds either the effect or, if it changes something first, the
   * condition broken. The next commit must follow within a minute.
   *
   * @throws MessagingException.PartitionLost if somebody else owns the partition now
   * @throws MessagingException if it cannot be known: let it pass, as with {@link #commit(List)}
   */
  void confirmOwnership();

  /**
   * Makes a record that was handed over a dead letter and marks it as done, both with the next
   * commit. What is to be told to those who wait for it, the handler commits itself.
   */
  void setAside(Received record, Throwable cause);

  /**
   * The latest event under each key of the partition with this number in another topic, in the
   * order in which they were written; what earlier owners committed is all there.
   */
  Map<String, Received> restore(Topic topic);

  /** Whether the handler should come to an end soon. */
  boolean isStopping();
}
