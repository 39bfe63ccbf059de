package io.lamina.messaging;

import io.lamina.messaging.event.Event;
import java.util.List;
import java.util.Optional;
import java.util.function.Predicate;

/**
 * The dead letters and what can be done about them. Thread-safe; every office on the same topics
 * sees the same letters, and each letter is put back or dropped once, whoever asks and how often.
 *
 * <p>Source: docs/protocol/topics.md, "Dead letters".
 */
public interface DeadLetterOffice {
  /**
   * Letters, newest first.
   *
   * @param olderThan where the page before ended
   * @param limit 1 or more
   * @throws MessagingException.Retryable before all letters have been read
   */
  List<DeadLetter> page(
      Predicate<DeadLetter> filter, Optional<DeadLetter.Place> olderThan, int limit);

  /** The letter with this id, if it still waits. */
  Optional<DeadLetter> find(String id);

  /**
   * What became of a letter; empty if there never was one, or if it was settled long ago.
   *
   * @throws MessagingException.Retryable before all letters have been read
   */
  Optional<DeadLetter.State> state(String id);

  /** Letters that wait. */
  int waiting();

  /**
   * The record as it was; blocks.
   *
   * @return empty if the letter is not there any more
   */
  Optional<Content> content(DeadLetter letter);

  /**
   * Puts the record back where it was, tells those who failed by it, and removes the letter: all of
   * it, or nothing. Blocks.
   *
   * @return what has become of the letter, now or before; empty as {@link #state}
   * @throws MessagingException.Rejected if the record is not one that can be put back
   * @throws MessagingException.Retryable nothing was done
   * @throws MessagingException.OutcomeUnknown it may have been done; ask again
   */
  Optional<DeadLetter.State> retry(String id);

  /** Removes the letter; otherwise as {@link #retry}. */
  Optional<DeadLetter.State> drop(String id);

  /**
   * A record's value.
   *
   * @param event empty if it is none that this release knows
   */
  record Content(byte[] value, Optional<Event> event) {}
}
