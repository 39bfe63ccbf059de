package io.lamina.converter.work;

import io.lamina.messaging.event.Event;
import io.lamina.messaging.event.Event.Work;
import java.io.IOException;

/** What is done for each kind of work. Thread-safe. */
@FunctionalInterface
public interface Jobs {
  /** How far a job is. */
  @FunctionalInterface
  interface Progress {
    /** Cheap: may be called for every buffer. */
    void at(long doneBytes, long totalBytes);
  }

  /**
   * Does the work once, from its beginning.
   *
   * @return what is told to the repository's publisher
   * @throws RuntimeException any; {@link io.lamina.converter.Verdict} says what follows
   */
  Event run(Work work, Progress progress) throws IOException, InterruptedException;
}
