package io.lamina.publisher;

import io.lamina.cvmfs.RepositoryName;
import io.lamina.messaging.Outgoing;
import io.lamina.messaging.PartitionHandler;
import io.lamina.messaging.PartitionScope;
import io.lamina.messaging.Received;
import io.lamina.messaging.Topic;
import io.lamina.messaging.event.Event;
import io.lamina.messaging.event.Event.Pending;
import io.lamina.messaging.event.Event.RequestStatus.State;
import io.lamina.messaging.event.WorkKey;
import io.lamina.repository.RepositoryException;
import java.time.Clock;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Publishes the repositories of one partition: each batch becomes at most one transaction for each
 * of them, and one Kafka transaction for all. Owned by the partition's thread.
 */
final class PublisherPartition implements PartitionHandler {
  private static final Logger LOG = LoggerFactory.getLogger(PublisherPartition.class);

  /** Opens the desk of a repository. */
  @FunctionalInterface
  interface Desks {
    /**
     * @param notes what the predecessor left
     * @throws RepositoryException.NotFound if there is no such repository
     */
    RepositoryDesk open(RepositoryName repository, List<Pending> notes);
  }

  private final PartitionScope scope;
  private final Desks desks;
  private final Clock clock;
  private final Map<RepositoryName, List<Pending>> notes = new HashMap<>();
  private final Map<RepositoryName, RepositoryDesk> open = new LinkedHashMap<>();

  /**
   * @param said takes events that come back as records, so that what a predecessor left is taken up
   *     although nothing else comes
   */
  PublisherPartition(PartitionScope scope, Desks desks, Consumer<Event> said, Clock clock) {
    this.scope = scope;
    this.desks = desks;
    this.clock = clock;
    for (Received received : scope.restore(Topic.PENDING).values()) {
      received
          .event()
          .filter(Pending.class::isInstance)
          .map(Pending.class::cast)
          .ifPresent(
              note -> {
                notes.computeIfAbsent(note.repository(), name -> new ArrayList<>()).add(note);
                if (note instanceof Event.PendingRequest request
                    && request.begin() instanceof Event.CollectionRequested collection) {
                  said.accept(collection);
                }
              });
    }
  }

  @Override
  public void handle(List<Received> batch) {
    Map<RepositoryName, List<Received>> byRepository = new LinkedHashMap<>();
    for (Received received : batch) {
      received
          .event()
          .ifPresent(
              event -> {
                if (isForPublishers(event)) {
                  byRepository
                      .computeIfAbsent(event.repository(), name -> new ArrayList<>())
                      .add(received);
                } else {
                  scope.setAside(
                      received,
                      new IllegalArgumentException(
                          event.getClass().getSimpleName() + " is not an event for publishers"));
                }
              });
    }
    List<Outgoing> out = new ArrayList<>();
    List<RepositoryDesk> busy = new ArrayList<>();
    byRepository.forEach(
        (name, events) -> {
          Optional<RepositoryDesk> desk = desk(name, events, out);
          if (desk.isPresent()) {
            out.addAll(desk.get().handle(events));
            desk.get()
                .refused()
                .forEach(
                    (received, reason) ->
                        scope.setAside(received, new RepositoryException.Rejected(reason)));
            busy.add(desk.get());
          }
        });
    scope.commit(out);
    busy.forEach(RepositoryDesk::committed);
  }

  private Optional<RepositoryDesk> desk(
      RepositoryName name, List<Received> events, List<Outgoing> out) {
    RepositoryDesk known = open.get(name);
    if (known != null) {
      return Optional.of(known);
    }
    List<Pending> left = notes.getOrDefault(name, List.of());
    try {
      RepositoryDesk desk = desks.open(name, left);
      open.put(name, desk);
      notes.remove(name);
      return Optional.of(desk);
    } catch (RepositoryException.NotFound | RepositoryException.Rejected e) {
      if (left.stream().anyMatch(PublisherPartition::isUnfinished)) {
        // Work was begun: the definition or a key went away, and will come back.
        throw new RepositoryException.Retryable(
            "repository "
                + name
                + " has unfinished requests and cannot be opened: "
                + e.getMessage(),
            e);
      }
      LOG.atWarn()
          .addKeyValue("repository", name)
          .addKeyValue("reason", e.getMessage())
          .log("events for a repository that cannot be opened");
      events.stream()
          .filter(received -> received.event().orElse(null) instanceof Event.TransactionFollowed)
          .forEach(received -> scope.setAside(received, e));
      events.forEach(
          received -> failure(received, e.getMessage()).ifPresent(status -> out.add(status)));
      return Optional.empty();
    }
  }

  private static boolean isUnfinished(Pending note) {
    return !(note instanceof Event.JournalPosition
        || note instanceof Event.FollowedPosition
        || note instanceof Event.FailedRequest);
  }

  /** Those who wait for a record that was set aside learn why. */
  @Override
  public List<Outgoing> abandoned(Received record, Throwable cause) {
    return failure(record, String.valueOf(cause.getMessage())).stream().toList();
  }

  private Optional<Outgoing> failure(
      Received record, @org.jspecify.annotations.Nullable String reason) {
    Instant now = clock.instant();
    String text = reason == null ? "the publisher could not handle it" : reason;
    return record
        .event()
        .flatMap(
            event ->
                switch (event) {
                  case Event.Request request ->
                      Optional.of(
                          request.status(
                              State.FAILED, List.of(), Optional.of(text), Optional.empty(), now));
                  case Event.LayerConverted converted ->
                      Optional.of(
                          new Event.WorkFailed(
                              converted.repository(),
                              new WorkKey(
                                  WorkKey.Kind.LAYER, converted.layer().blob().digest().hex()),
                              text));
                  case Event.FlatMerged merged ->
                      Optional.of(
                          new Event.WorkFailed(
                              merged.repository(),
                              new WorkKey(WorkKey.Kind.FLAT, merged.imageId().hex()),
                              text));
                  case Event.ThinPushed pushed ->
                      Optional.of(
                          new Event.WorkFailed(
                              pushed.repository(),
                              new WorkKey(WorkKey.Kind.THIN, pushed.request().value()),
                              text));
                  default -> Optional.<Event>empty();
                })
        .map(Outgoing::of)
        .map(out -> out.causedBy(record));
  }

  static boolean isForPublishers(Event event) {
    return Outgoing.topicOf(event) == Topic.REPOSITORY;
  }

  @Override
  public void close() {
    open.values().forEach(RepositoryDesk::close);
    open.clear();
  }
}
