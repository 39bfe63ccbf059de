package io.lamina.journal.site;

import io.lamina.cvmfs.CvmfsException;
import io.lamina.cvmfs.RepositoryName;
import io.lamina.cvmfs.reader.ReaderSettings;
import io.lamina.cvmfs.reader.RepositoryFiles;
import io.lamina.journal.JournalException;
import io.lamina.journal.replay.ObjectSources;
import io.lamina.journal.replay.TreeCopy;
import io.lamina.messaging.FailurePolicy;
import io.lamina.messaging.FailurePolicy.Verdict;
import io.lamina.messaging.KafkaSettings;
import io.lamina.messaging.PartitionScope;
import io.lamina.messaging.PartitionedWorker;
import io.lamina.repository.Repositories;
import io.lamina.repository.RepositoryException;
import io.lamina.storage.StorageException;
import io.micrometer.core.instrument.MeterRegistry;
import java.time.Clock;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.random.RandomGenerator;

/**
 * Follows one other site: a consumer group that reads the copy of its journal. Any number may run;
 * each partition is followed by one of them. The topics of this site must exist; the copy may come
 * later.
 *
 * <p>{@link #start} once; {@link #close} is thread-safe and idempotent.
 */
public final class SiteProcess implements AutoCloseable {
  /** Transactions that are handed over at once; each is committed by itself. */
  private static final int MAX_BATCH = 50;

  /**
   * Where another site's repository can be read. Closed by who opened it.
   *
   * @param head where its manifest and whitelist are
   * @param keys its public keys; without them its manifest is not asked
   */
  public record Source(ObjectSources objects, RepositoryFiles head, Optional<ReaderSettings> keys)
      implements AutoCloseable {
    @Override
    public void close() {
      objects.close();
    }
  }

  /** Opens the repositories of the other site. Thread-safe. */
  @FunctionalInterface
  public interface Sources {
    Source open(RepositoryName repository);
  }

  /**
   * What a follower works with; stays the caller's.
   *
   * @param repositories this site's own; the objects of those that follow are stored through it
   */
  public record Surroundings(
      KafkaSettings kafka,
      Repositories repositories,
      Sources sources,
      Clock clock,
      RandomGenerator random,
      MeterRegistry meters) {}

  private final SiteSettings settings;
  private final Surroundings around;
  private final SiteMetrics metrics;
  private final PartitionedWorker worker;
  private final SiteLag lag;

  public SiteProcess(SiteSettings settings, Surroundings around) {
    this.settings = settings;
    this.around = around;
    this.metrics = new SiteMetrics(around.meters(), settings.name(), around.clock());
    this.lag = new SiteLag(settings, around, metrics);
    this.worker =
        new PartitionedWorker(
            around.kafka(),
            PartitionedWorker.Settings.of(
                    "site-" + settings.name(), settings.topic(), settings.group())
                .withMaxBatch(MAX_BATCH),
            scope -> new SiteFollower(scope, settings, this::open, metrics),
            policy(),
            around.meters(),
            around.clock(),
            around.random());
  }

  public void start() {
    lag.start();
    worker.start();
  }

  /**
   * Completes when the loop has ended after {@link #close}; exceptionally as soon as it cannot go
   * on.
   */
  public CompletableFuture<Void> stopped() {
    return worker.stopped();
  }

  /** How far it is, as it was found last. */
  public SiteLag.Snapshot lag() {
    return lag.latest();
  }

  private SiteFollower.Session open(
      RepositoryName source, RepositoryName target, PartitionScope scope) {
    Source opened = around.sources().open(source);
    try {
      return new FollowedRepository(
          opened,
          around.repositories().open(target),
          settings,
          metrics,
          around.clock(),
          scope::isStopping);
    } catch (RuntimeException e) {
      opened.close();
      throw e;
    }
  }

  /** What is away is waited for; what is wrong with one transaction becomes a dead letter. */
  static FailurePolicy policy() {
    FailurePolicy standard = FailurePolicy.standard();
    return failure ->
        switch (failure) {
          case JournalException.Retryable _,
              JournalException.Rejected _,
              RepositoryException _,
              StorageException _,
              CvmfsException.Retryable _,
              TreeCopy.Stopped _ ->
              Verdict.WAIT;
          case JournalException.Corrupt _,
              OtherSite.RevisionGone _,
              CvmfsException _,
              IllegalArgumentException _ ->
              Verdict.REJECT;
          default -> standard.judge(failure);
        };
  }

  @Override
  public void close() {
    lag.close();
    worker.close();
  }
}
