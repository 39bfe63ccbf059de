package io.lamina.publisher;

import io.lamina.cvmfs.RepositoryName;
import io.lamina.messaging.Outgoing;
import io.lamina.messaging.Topic;
import io.lamina.messaging.event.Event;
import java.util.Optional;

/** Notes to whoever owns a repository next, as records. */
final class PublisherNotes {
  private PublisherNotes() {}

  /**
   * @param note empty to delete what is under the key
   */
  static Outgoing outgoing(
      RepositoryName repository, String noteKey, Optional<Event.Pending> note) {
    return new Outgoing(
        Topic.PENDING, repository + "/" + noteKey, note.map(n -> (Event) n), Optional.empty());
  }
}
