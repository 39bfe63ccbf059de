package io.lamina.publisher;

import io.lamina.cvmfs.RepositoryName;
import io.lamina.messaging.EventProducer;
import io.lamina.messaging.FailurePolicy;
import io.lamina.messaging.FailurePolicy.Verdict;
import io.lamina.messaging.KafkaSettings;
import io.lamina.messaging.Outgoing;
import io.lamina.messaging.PartitionScope;
import io.lamina.messaging.PartitionedWorker;
import io.lamina.messaging.Topic;
import io.lamina.messaging.Topics;
import io.lamina.messaging.event.Event;
import io.lamina.messaging.event.Event.Pending;
import io.lamina.repository.CatalogCompression;
import io.lamina.repository.Repositories;
import io.lamina.repository.Repository;
import io.lamina.repository.RepositoryException;
import io.lamina.storage.StorageException;
import io.micrometer.core.instrument.MeterRegistry;
import java.time.Clock;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.random.RandomGenerator;

/**
 * The publisher: a member of the publishers' consumer group, that commits the transactions of the
 * repositories whose partitions it owns. Any number of them may run. The topics must exist.
 *
 * <p>{@link #start} once; {@link #close} is thread-safe and idempotent.
 */
public final class PublisherProcess implements AutoCloseable {
  /**
   * What a publisher works with; stays the caller's, who closes it after the process.
   *
   * @param random thread-safe; spreads retries
   */
  public record Surroundings(
      KafkaSettings kafka,
      Repositories repositories,
      Clock clock,
      RandomGenerator random,
      MeterRegistry meters) {}

  private static final Duration SAYING = Duration.ofMinutes(2);

  private final PublisherSettings settings;
  private final Surroundings around;
  private final PublisherMetrics metrics;
  private final PartitionedWorker worker;
  private final WhitelistRenewal renewal;
  private final EventProducer producer;
  private final BackgroundCollector collector;
  private final Optional<RegularCollections> regular;

  public PublisherProcess(PublisherSettings settings, Surroundings around) {
    this.settings = settings;
    this.around = around;
    this.metrics = new PublisherMetrics(around.meters());
    this.renewal = new WhitelistRenewal(around.repositories(), settings, around.clock());
    this.producer = new EventProducer(around.kafka(), around.clock(), SAYING);
    this.collector = new BackgroundCollector(settings.collections(), this::say, around.clock());
    this.regular =
        settings
            .collections()
            .every()
            .map(
                every ->
                    new RegularCollections(
                        around.repositories(), every, this::say, around.clock()));
    PartitionedWorker.Settings base =
        PartitionedWorker.Settings.of("publisher", Topic.REPOSITORY, Topics.PUBLISHERS)
            .withMaxBatch(settings.maxBatch());
    this.worker =
        new PartitionedWorker(
            around.kafka(),
            settings.instance().map(base::withInstance).orElse(base),
            scope ->
                new PublisherPartition(
                    scope,
                    (name, notes) -> openDesk(name, notes, scope),
                    event -> producer.sendAsync(Outgoing.of(event)),
                    around.clock()),
            policy(),
            around.meters(),
            around.clock(),
            around.random());
  }

  private void say(Event event) {
    producer.send(Outgoing.of(event));
  }

  public void start() {
    renewal.start();
    regular.ifPresent(RegularCollections::start);
    worker.start();
  }

  /**
   * Completes when the loop has ended after {@link #close}; exceptionally as soon as it cannot go
   * on: then close the process and start another.
   */
  public CompletableFuture<Void> stopped() {
    return worker.stopped();
  }

  private RepositoryDesk openDesk(
      RepositoryName name, List<Pending> notes, PartitionScope partition) {
    Repository repository = around.repositories().open(name);
    try {
      return new RepositoryDesk(
          new RepositoryDesk.Tools(
              repository,
              Backends.open(repository, around.clock()),
              CatalogCompression.FOR_PUBLISHERS.newCompressor(),
              partition::confirmOwnership,
              collector),
          new CoordinatorSettings(
              repository.definition().settings().flat(),
              settings.maxUnfinished(),
              settings.maxTrees(),
              settings.interactiveWindow(),
              settings.bulkWindow()),
          notes,
          metrics,
          around.clock());
    } catch (RuntimeException e) {
      repository.close();
      throw e;
    }
  }

  /** What is away is waited for; what is broken is tried again, then set aside with the reason. */
  static FailurePolicy policy() {
    FailurePolicy standard = FailurePolicy.standard();
    return failure ->
        switch (failure) {
          case RepositoryException.Retryable _,
              RepositoryException.Conflict _,
              RepositoryException.OutcomeUnknown _,
              StorageException.Retryable _,
              StorageException.Conflict _,
              StorageException.OutcomeUnknown _,
              StorageException.Exhausted _ ->
              Verdict.WAIT;
          case IllegalArgumentException _ -> Verdict.REJECT;
          default -> standard.judge(failure);
        };
  }

  @Override
  public void close() {
    renewal.close();
    regular.ifPresent(RegularCollections::close);
    worker.close();
    collector.close();
    producer.close();
  }
}
