package io.lamina.journal.replay;

import io.lamina.journal.JournalEntry;
import io.lamina.journal.JournalException;
import java.time.DateTimeException;
import java.time.Instant;
import java.util.Optional;

/**
 * How far a replay goes. Immutable.
 *
 * @param revision the last one that may be replayed
 * @param writtenUntil the last moment at which a transaction may have been said
 */
public record Until(Optional<Long> revision, Optional<Instant> writtenUntil) {
  /** To the journal's end. */
  public static final Until END = new Until(Optional.empty(), Optional.empty());

  /**
   * Reads a revision, or a time such as {@code 2026-01-02T03:04:05Z}.
   *
   * @throws JournalException.Rejected if it is neither
   */
  public static Until parse(String text) {
    try {
      if (text.matches("[0-9]{1,18}")) {
        return new Until(Optional.of(Long.parseLong(text)), Optional.empty());
      }
      return new Until(Optional.empty(), Optional.of(Instant.parse(text)));
    } catch (DateTimeException e) {
      throw new JournalException.Rejected(
          "neither a revision nor a time such as 2026-01-02T03:04:05Z: '" + text + "'", e);
    }
  }

  boolean includes(JournalEntry entry) {
    return revision.map(last -> entry.event().revision() <= last).orElse(true)
        && writtenUntil.map(last -> !entry.writtenAt().isAfter(last)).orElse(true);
  }
}
