package io.lamina.publisher;

import io.lamina.cvmfs.ContentHash;
import io.lamina.cvmfs.RepositoryName;
import io.lamina.cvmfs.signing.Manifest;
import io.lamina.messaging.event.Event;
import io.lamina.messaging.event.Event.JournalPosition;
import io.lamina.messaging.event.Event.TransactionPublished;
import io.lamina.messaging.event.EventJson;
import io.lamina.repository.PublisherBackend;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Sees to it that each transaction is said once on the journal topic, though the repository's
 * commit and Kafka's are two. The repository keeps a record of each transaction under its root
 * hash; a note says up to which root the journal goes, and is committed together with the journal's
 * events. Whatever lies between the note and the repository's head was committed by somebody who
 * died before Kafka's commit, and is said now.
 *
 * <p>Source: docs/adr/0021-the-journal-catches-up.md. Owned by one thread.
 */
final class Journal {
  private static final Logger LOG = LoggerFactory.getLogger(Journal.class);
  private static final int MAX_BEHIND = 1_000;

  private final RepositoryName repository;
  private final PublisherBackend backend;
  private Optional<JournalPosition> position;
  private final List<ContentHash> toForget = new ArrayList<>();

  Journal(RepositoryName repository, PublisherBackend backend, Optional<JournalPosition> position) {
    this.repository = repository;
    this.backend = backend;
    this.position = position;
    position.ifPresent(known -> toForget.add(known.root()));
  }

  /** Transactions up to {@code root} that the journal lacks, the oldest first. */
  List<TransactionPublished> missingUpTo(ContentHash root, long revision) {
    List<TransactionPublished> missing = new ArrayList<>();
    ContentHash at = root;
    while (position.isEmpty() || !position.get().root().equals(at)) {
      Optional<TransactionPublished> made = recordOf(at);
      if (made.isEmpty() || missing.size() == MAX_BEHIND) {
        warnOfGap(at, revision - missing.size());
        break;
      }
      missing.addFirst(made.get());
      at = made.get().previousRoot();
    }
    return missing;
  }

  /** The same up to the repository's head. */
  List<TransactionPublished> missingUpToHead() {
    Manifest head = backend.head();
    return missingUpTo(head.rootCatalog(), head.revision());
  }

  /** The note that says that the journal goes up to this transaction. */
  JournalPosition says(TransactionPublished event) {
    JournalPosition now = new JournalPosition(repository, event.revision(), event.root());
    position = Optional.of(now);
    toForget.add(event.root());
    return now;
  }

  /** Kafka's commit is done: what was said need not be kept any more. */
  void committed() {
    toForget.forEach(backend::forgetRecord);
    toForget.clear();
  }

  private Optional<TransactionPublished> recordOf(ContentHash root) {
    return backend
        .recordOf(root)
        .map(
            bytes -> {
              Event event = EventJson.decode(TYPE, bytes);
              return (TransactionPublished) event;
            });
  }

  private static final String TYPE =
      "io.lamina." + EventJson.kind(TransactionPublished.class) + ".v" + EventJson.VERSION;

  /** Expected only for the first revision and after others have published. */
  private void warnOfGap(@Nullable ContentHash root, long revision) {
    if (revision > 0) {
      LOG.atWarn()
          .addKeyValue("repository", repository)
          .addKeyValue("revision", revision)
          .addKeyValue("root", root)
          .log("this revision was published by somebody else and is not in the journal");
    }
  }
}
