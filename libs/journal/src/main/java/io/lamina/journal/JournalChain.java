package io.lamina.journal;

import io.lamina.cvmfs.RepositoryName;
import io.lamina.messaging.MessagingException;
import io.lamina.messaging.event.Event.TransactionPublished;
import io.lamina.messaging.event.EventJson;
import java.time.Instant;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Checks that the transactions of one repository follow from each other: no revision is missing or
 * doubled, each begins on the root that the one before ended on, and time never goes back.
 *
 * <p>Source: docs/format/journal-file.md, "Chain". Not thread-safe.
 */
final class JournalChain {
  static final String KIND = EventJson.kind(TransactionPublished.class);

  private final RepositoryName repository;
  private @Nullable TransactionPublished last;

  JournalChain(RepositoryName repository) {
    this.repository = repository;
  }

  Optional<TransactionPublished> last() {
    return Optional.ofNullable(last);
  }

  /**
   * @param where for messages
   * @throws JournalException.Corrupt if it does not follow
   */
  JournalEntry follow(String where, String type, byte[] value, Instant writtenAt) {
    TransactionPublished event = decode(where, type, value);
    if (!event.repository().equals(repository)) {
      throw new JournalException.Corrupt(
          where + " is of repository " + event.repository() + ", not of " + repository);
    }
    if (event.revision() < 1) {
      throw new JournalException.Corrupt(
          where + " says revision " + event.revision() + "; the first transaction makes 1");
    }
    TransactionPublished before = last;
    if (before != null) {
      requireNext(where, before, event);
    }
    last = event;
    return new JournalEntry(event, type, value, writtenAt);
  }

  private static TransactionPublished decode(String where, String type, byte[] value) {
    try {
      if (EventJson.decode(type, value) instanceof TransactionPublished event) {
        return event;
      }
    } catch (MessagingException.Corrupt e) {
      throw new JournalException.Corrupt(where + " cannot be read: " + e.getMessage(), e);
    }
    throw new JournalException.Corrupt(where + " is no " + KIND + " but " + type);
  }

  private static void requireNext(
      String where, TransactionPublished before, TransactionPublished event) {
    if (event.revision() <= before.revision()) {
      throw new JournalException.Corrupt(
          where
              + " says revision "
              + event.revision()
              + " of "
              + event.repository()
              + " after revision "
              + before.revision()
              + ": it is doubled or out of order");
    }
    if (event.revision() != before.revision() + 1) {
      throw new JournalException.Corrupt(
          where
              + " says revision "
              + event.revision()
              + " of "
              + event.repository()
              + " after revision "
              + before.revision()
              + ": what lies between is missing, published by others or lost");
    }
    if (!event.previousRoot().equals(before.root())) {
      throw new JournalException.Corrupt(
          where
              + ": revision "
              + event.revision()
              + " of "
              + event.repository()
              + " begins on root "
              + event.previousRoot()
              + ", but revision "
              + before.revision()
              + " ended on "
              + before.root());
    }
    if (event.timestampSeconds() < before.timestampSeconds()) {
      throw new JournalException.Corrupt(
          where
              + ": revision "
              + event.revision()
              + " of "
              + event.repository()
              + " has an earlier time than the one before");
    }
  }
}
