package io.lamina.publisher;

import io.lamina.cvmfs.RepositoryName;
import io.lamina.messaging.event.Event;
import io.lamina.messaging.event.Event.CollectionRequested;
import io.lamina.messaging.event.RequestId;
import io.lamina.repository.Repositories;
import io.lamina.repository.Repository;
import java.nio.charset.StandardCharsets;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Asks for collections from time to time. All publishers do, under the same id for the same period,
 * so that it is one request whoever asks first. {@link #close} is idempotent.
 */
final class RegularCollections implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(RegularCollections.class);

  private final Repositories repositories;
  private final Duration every;
  private final Consumer<Event> said;
  private final Clock clock;
  private final ScheduledExecutorService timer =
      Executors.newSingleThreadScheduledExecutor(
          Thread.ofPlatform().daemon().name("regular-collections").factory());

  RegularCollections(Repositories repositories, Duration every, Consumer<Event> said, Clock clock) {
    this.repositories = repositories;
    this.every = every;
    this.said = said;
    this.clock = clock;
  }

  void start() {
    long pause = Math.min(every.toMillis() / 4, Duration.ofHours(1).toMillis());
    timer.scheduleWithFixedDelay(this::askAll, pause, pause, TimeUnit.MILLISECONDS);
  }

  void askAll() {
    try {
      repositories.list().forEach(this::ask);
    } catch (RuntimeException e) { // the thread's top: the next round may do better
      LOG.atError().setCause(e).log("asking for collections failed");
    }
  }

  private void ask(RepositoryName name) {
    try (Repository repository = repositories.open(name)) {
      Instant now = clock.instant();
      Optional<Instant> last = CollectionMark.read(repository.store());
      if (repository.definition().settings().garbageCollectable()
          && last.filter(at -> at.plus(every).isAfter(now)).isEmpty()) {
        said.accept(request(name, now));
      }
    } catch (RuntimeException e) { // one repository's trouble is not the others'
      LOG.atError()
          .addKeyValue("repository", name)
          .setCause(e)
          .log("a collection could not be asked for");
    }
  }

  /** Equal for all that ask within the same period. */
  private CollectionRequested request(RepositoryName name, Instant now) {
    long period = now.getEpochSecond() / every.toSeconds();
    UUID id =
        UUID.nameUUIDFromBytes(
            (name + " " + every + " " + period).getBytes(StandardCharsets.UTF_8));
    return new CollectionRequested(
        new RequestId("collection-" + id),
        name,
        false,
        Instant.ofEpochSecond(period * every.toSeconds()),
        Optional.empty());
  }

  @Override
  public void close() {
    timer.shutdownNow();
  }
}
