package io.lamina.converter;

import io.lamina.converter.plan.ConversionPlanner;
import io.lamina.converter.plan.PlanHandler;
import io.lamina.converter.plan.StoredPlanFiles;
import io.lamina.converter.work.FlatMerging;
import io.lamina.converter.work.LayerConversion;
import io.lamina.converter.work.RepositoryJobs;
import io.lamina.converter.work.ThinPushing;
import io.lamina.converter.work.WorkHandler;
import io.lamina.converter.work.WorkRunner;
import io.lamina.image.ImageSources;
import io.lamina.messaging.EventProducer;
import io.lamina.messaging.FailurePolicy;
import io.lamina.messaging.KafkaSettings;
import io.lamina.messaging.PartitionedWorker;
import io.lamina.messaging.QueueWorker;
import io.lamina.messaging.Retries;
import io.lamina.messaging.Topic;
import io.lamina.messaging.Topics;
import io.micrometer.core.instrument.MeterRegistry;
import java.time.Clock;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The converter: plans requests as a member of the planners' consumer group, and works off the
 * queue as a member of the converters' share group. Any number of them may run. The topics must
 * exist.
 *
 * <p>{@link #start} once; {@link #close} is thread-safe and idempotent.
 */
public final class ConverterProcess implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(ConverterProcess.class);

  /** How soon an answer is committed that came after its batch. */
  private static final Duration PLAN_IDLE = Duration.ofMillis(100);

  private static final Duration SEND_TIMEOUT = Duration.ofSeconds(30);

  /** Between deliveries of the same work; with the number of deliveries some minutes in all. */
  private static final Duration FIRST_DELIVERY_PAUSE = Duration.ofSeconds(2);

  private static final Duration LONGEST_DELIVERY_PAUSE = Duration.ofMinutes(1);

  /**
   * What a converter works with; all of it stays the caller's, who closes it after the process.
   *
   * @param random thread-safe; spreads retries
   */
  public record Surroundings(
      KafkaSettings kafka,
      RepositoryStores repositories,
      ImageSources sources,
      Clock clock,
      RandomGenerator random,
      MeterRegistry meters) {}

  /** Who does the work; stays the caller's. */
  public record Crafts(LayerConversion layers, FlatMerging merges, ThinPushing pushes) {}

  private final StoredPlanFiles files;
  private final EventProducer producer;
  private final ProgressSender progress;
  private final PartitionedWorker planner;
  private final QueueWorker worker;
  private boolean closed;

  public ConverterProcess(ConverterSettings settings, Surroundings around, Crafts crafts) {
    this.files = new StoredPlanFiles(around.repositories());
    this.producer = new EventProducer(around.kafka(), around.clock(), SEND_TIMEOUT);
    this.progress = new ProgressSender(producer, around.meters());
    this.planner = planner(settings, around);
    this.worker = worker(settings, around, crafts);
  }

  private PartitionedWorker planner(ConverterSettings settings, Surroundings around) {
    ConversionPlanner plans =
        new ConversionPlanner(
            around.sources(),
            files,
            settings.planner(),
            settings.admission(),
            around.clock(),
            around.random(),
            Pause.SLEEPING,
            around.meters());
    PartitionedWorker.Settings base =
        PartitionedWorker.Settings.of("planner", Topic.CONVERSIONS, Topics.PLANNERS)
            .withIdleInterval(PLAN_IDLE);
    return new PartitionedWorker(
        around.kafka(),
        settings.instance().map(base::withInstance).orElse(base),
        scope -> new PlanHandler(scope, plans, settings.maxPlansPerPartition()),
        FailurePolicy.standard(),
        around.meters(),
        around.clock(),
        around.random());
  }

  private QueueWorker worker(ConverterSettings settings, Surroundings around, Crafts crafts) {
    WorkRunner runner =
        new WorkRunner(
            new RepositoryJobs(
                around.repositories(),
                around.sources(),
                crafts.layers(),
                crafts.merges(),
                crafts.pushes()),
            settings.work(),
            progress,
            around.clock(),
            around.random(),
            Pause.SLEEPING,
            around.meters());
    return new QueueWorker(
        around.kafka(),
        QueueWorker.Settings.of(
                "converter", Topic.LAYERS, Topics.CONVERTERS, settings.work().slots())
            .withMaxDeliveries(settings.deliveries())
            .withRenewInterval(settings.lockRenewal())
            .withStopTimeout(settings.stopTimeout())
            .withPauses(
                new Retries(settings.deliveries(), FIRST_DELIVERY_PAUSE, LONGEST_DELIVERY_PAUSE)),
        new WorkHandler(runner),
        WorkHandler.policy(),
        around.meters(),
        around.clock(),
        around.random());
  }

  public void start() {
    progress.start();
    planner.start();
    worker.start();
  }

  /**
   * Completes when both loops have ended after {@link #close}; exceptionally as soon as one cannot
   * go on: then close the process and start another.
   */
  public CompletableFuture<Void> stopped() {
    CompletableFuture<Void> all = CompletableFuture.allOf(planner.stopped(), worker.stopped());
    CompletableFuture<Void> result = new CompletableFuture<>();
    all.whenComplete((_, failure) -> finish(result, failure));
    planner.stopped().whenComplete((_, failure) -> failEarly(result, failure));
    worker.stopped().whenComplete((_, failure) -> failEarly(result, failure));
    return result;
  }

  private static void finish(CompletableFuture<Void> result, @Nullable Throwable failure) {
    if (failure == null) {
      result.complete(null);
    } else {
      result.completeExceptionally(failure);
    }
  }

  private static void failEarly(CompletableFuture<Void> result, @Nullable Throwable failure) {
    if (failure != null) {
      result.completeExceptionally(failure);
    }
  }

  /**
   * Takes nothing new, lets work come to an end for the stop timeout, hands the rest back, and
   * returns.
   */
  @Override
  public void close() {
    synchronized (this) {
      if (closed) {
        return;
      }
      closed = true;
    }
    Thread plans = Thread.ofVirtual().name("stop-planner").start(planner::close);
    worker.close();
    join(plans);
    progress.close();
    producer.close();
    files.close();
    LOG.atInfo().log("converter stopped");
  }

  private static void join(Thread thread) {
    boolean interrupted = false;
    while (true) {
      try {
        thread.join();
        break;
      } catch (InterruptedException e) {
        // The planner's own wait is bounded.
        interrupted = true;
      }
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }
}
