package io.lamina.messaging;

import io.lamina.cvmfs.RepositoryName;
import java.time.Instant;
import java.util.Optional;

/**
 * A record that was set aside, without its value. Immutable.
 *
 * <p>Source: docs/protocol/topics.md, "Dead letters".
 *
 * @param id names it for ever: where the record was, as {@code TOPIC-PARTITION-OFFSET}
 * @param stored where it lies among the dead letters
 * @param original where the record was
 * @param key of the record; shortened, and empty if it had none
 * @param kind of the event; empty if the record is none that this release knows
 * @param repository that the event is about; empty as above
 * @param retryOf the dead letter that the record came from when it was put back before
 * @param group who gave up
 * @param attempts after how many attempts or deliveries
 * @param cause class of the last failure
 * @param message of the last failure
 * @param at when it was set aside
 * @param sizeBytes of the value
 */
public record DeadLetter(
    String id,
    Received.Position stored,
    Received.Position original,
    String key,
    Optional<String> kind,
    Optional<RepositoryName> repository,
    Optional<String> retryOf,
    String group,
    int attempts,
    String cause,
    String message,
    Instant at,
    int sizeBytes)
    implements Comparable<DeadLetter> {

  /** Older ones first. */
  @Override
  public int compareTo(DeadLetter other) {
    return place().compareTo(other.place());
  }

  public Place place() {
    return new Place(at, id);
  }

  /** A place in the order of all dead letters. Immutable. */
  public record Place(Instant at, String id) implements Comparable<Place> {
    @Override
    public int compareTo(Place other) {
      int byTime = at.compareTo(other.at);
      return byTime != 0 ? byTime : id.compareTo(other.id);
    }
  }

  /** What became of one. */
  public enum State {
    /** It waits for somebody to decide. */
    WAITING,
    /** Its record was put back. */
    RETRIED,
    /** It was dropped. */
    DROPPED
  }
}
