package io.lamina.publisher;

import io.lamina.messaging.event.Event.CollectionRequested;
import io.lamina.repository.PublisherBackend;
import io.lamina.repository.Repository;
import io.lamina.repository.collection.CollectionRoots;

/** Does collections beside the transactions. */
@FunctionalInterface
interface Collector {
  /** One that is under way. */
  @FunctionalInterface
  interface Running {
    /** Ends it early, and returns when it has ended; harmless if it has. */
    void stop();
  }

  /**
   * Begins a collection, whose end is said as an event for the same repository.
   *
   * @param repository stays open until it has ended
   * @param roots what unfinished requests refer to
   */
  Running start(
      CollectionRequested request,
      Repository repository,
      PublisherBackend backend,
      CollectionRoots roots);
}
