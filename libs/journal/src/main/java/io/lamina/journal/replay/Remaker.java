package io.lamina.journal.replay;

import io.lamina.storage.ObjectStore;
import java.util.Optional;

/** Makes again what no source has any more. One thread at a time. */
@FunctionalInterface
public interface Remaker {
  /** Leaves it missing. */
  Remaker NONE = (needed, store) -> Optional.of("");

  /**
   * Makes a tree or a file again, exactly that of this name.
   *
   * @param store where all of it is durable on return, and nothing names it before
   * @return why it cannot be had and what to do, for people; empty if it is there
   * @throws io.lamina.journal.JournalException.Retryable if another run may have it
   */
  Optional<String> makeAgain(Needed needed, ObjectStore store);
}
