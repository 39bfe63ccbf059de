package io.lamina.gateway;

import io.lamina.gateway.request.Statuses;
import io.lamina.messaging.DeadLetter;
import io.lamina.messaging.DeadLetterOffice;
import io.lamina.messaging.Received;
import io.lamina.messaging.event.Event;
import io.lamina.messaging.event.EventJson;
import io.lamina.messaging.event.RequestId;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.function.Predicate;

/** Two dead letters, one of them unreadable, in a map. Thread-safe. */
public final class InMemoryLetters implements DeadLetterOffice {
  public static final String READABLE = "lamina.repository-2-17";
  public static final String UNREADABLE = "lamina.layers-0-4";
  public static final Event EVENT =
      new Event.CancelRequested(new RequestId("r"), Statuses.REPOSITORY);

  private final Map<String, DeadLetter> letters = new TreeMap<>();
  private final Map<String, DeadLetter.State> settled = new HashMap<>();

  public InMemoryLetters() {
    put(READABLE, "lamina.repository", 2, 17, Optional.of(EVENT));
    put(UNREADABLE, "lamina.layers", 0, 4, Optional.empty());
  }

  private void put(String id, String topic, int partition, long offset, Optional<Event> event) {
    letters.put(
        id,
        new DeadLetter(
            id,
            new Received.Position("lamina.dead-letters", 0, letters.size()),
            new Received.Position(topic, partition, offset),
            "key",
            event.map(e -> EventJson.kind(e.getClass())),
            event.map(Event::repository),
            Optional.empty(),
            "lamina.publishers",
            4,
            "java.lang.IllegalStateException",
            "broken",
            Instant.parse("2026-01-02T03:04:05Z").plusSeconds(letters.size()),
            100));
  }

  @Override
  public synchronized List<DeadLetter> page(
      Predicate<DeadLetter> filter, Optional<DeadLetter.Place> olderThan, int limit) {
    return letters.values().stream()
        .sorted(java.util.Comparator.reverseOrder())
        .filter(l -> olderThan.map(place -> l.place().compareTo(place) < 0).orElse(true))
        .filter(filter)
        .limit(limit)
        .toList();
  }

  @Override
  public synchronized Optional<DeadLetter> find(String id) {
    return Optional.ofNullable(letters.get(id));
  }

  @Override
  public synchronized Optional<DeadLetter.State> state(String id) {
    return letters.containsKey(id)
        ? Optional.of(DeadLetter.State.WAITING)
        : Optional.ofNullable(settled.get(id));
  }

  @Override
  public synchronized int waiting() {
    return letters.size();
  }

  @Override
  public Optional<Content> content(DeadLetter letter) {
    return Optional.of(
        letter.id().equals(READABLE)
            ? new Content(EventJson.encode(EVENT), Optional.of(EVENT))
            : new Content("no event".getBytes(StandardCharsets.UTF_8), Optional.empty()));
  }

  @Override
  public Optional<DeadLetter.State> retry(String id) {
    return settle(id, DeadLetter.State.RETRIED);
  }

  @Override
  public Optional<DeadLetter.State> drop(String id) {
    return settle(id, DeadLetter.State.DROPPED);
  }

  private synchronized Optional<DeadLetter.State> settle(String id, DeadLetter.State state) {
    if (letters.remove(id) != null) {
      settled.put(id, state);
    }
    return Optional.ofNullable(settled.get(id));
  }
}
