package io.lamina.messaging;

import io.micrometer.core.instrument.MeterRegistry;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Semaphore;
import java.util.random.RandomGenerator;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Works off a topic as a share group: each record goes to one free worker, its lock is renewed for
 * as long as the work takes, and it counts as done when its results are written.
 *
 * <p>A share consumer gets no new records while it holds renewed ones, so there is one consumer for
 * each job that may run at once ({@link QueueSlot}), each with a thread that owns it.
 *
 * <p>Source: docs/protocol/topics.md, "Share groups". {@link #start} and {@link #close} are
 * thread-safe.
 */
public final class QueueWorker implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(QueueWorker.class);

  /**
   * @param name in thread names, metrics and logs
   * @param slots jobs at once, 1 to 100
   * @param maxDeliveries of a record before it is set aside; below the broker's own limit
   * @param renewInterval how often locks are renewed: a third of the lock duration or less
   * @param stopTimeout how long jobs may go on after a stop; then they are interrupted and their
   *     records released
   * @param pauses between attempts; how many there are is said by {@code maxDeliveries}
   */
  public record Settings(
      String name,
      Topic topic,
      String group,
      int slots,
      int maxDeliveries,
      Duration renewInterval,
      Duration stopTimeout,
      Retries pauses) {
    private static final int MAX_SLOTS = 100;

    public Settings {
      if (slots < 1 || slots > MAX_SLOTS) {
        throw new MessagingException.Rejected("jobs at once: 1 to 100, not " + slots);
      }
      if (maxDeliveries < 1) {
        throw new MessagingException.Rejected("deliveries: 1 or more, not " + maxDeliveries);
      }
    }

    public static Settings of(String name, Topic topic, String group, int slots) {
      return new Settings(
          name,
          topic,
          group,
          slots,
          5,
          Duration.ofSeconds(8),
          Duration.ofSeconds(20),
          Retries.STANDARD);
    }

    public Settings withRenewInterval(Duration newRenewInterval) {
      return new Settings(
          name, topic, group, slots, maxDeliveries, newRenewInterval, stopTimeout, pauses);
    }

    public Settings withStopTimeout(Duration newStopTimeout) {
      return new Settings(
          name, topic, group, slots, maxDeliveries, renewInterval, newStopTimeout, pauses);
    }

    public Settings withPauses(Retries newPauses) {
      return new Settings(
          name, topic, group, slots, maxDeliveries, renewInterval, stopTimeout, newPauses);
    }

    public Settings withMaxDeliveries(int newMaxDeliveries) {
      return new Settings(
          name, topic, group, slots, newMaxDeliveries, renewInterval, stopTimeout, pauses);
    }
  }

  private final Settings settings;
  private final EventProducer producer;
  private final QueueJobs jobs;
  private final List<QueueSlot> slots = new ArrayList<>();
  private final CompletableFuture<Void> stopped = new CompletableFuture<>();

  public QueueWorker(
      KafkaSettings kafka,
      Settings settings,
      QueueHandler handler,
      FailurePolicy policy,
      MeterRegistry registry,
      Clock clock,
      RandomGenerator random) {
    this.settings = settings;
    this.producer = new EventProducer(kafka, clock, Duration.ofSeconds(30));
    Semaphore permits = new Semaphore(settings.slots());
    WorkerMetrics metrics =
        new WorkerMetrics(
            registry,
            settings.name(),
            () -> 0,
            () -> settings.slots() - permits.availablePermits());
    this.jobs = new QueueJobs(settings, handler, policy, producer, permits, metrics, clock, random);
    KafkaClients clients = new KafkaClients(kafka);
    for (int i = 0; i < settings.slots(); i++) {
      slots.add(new QueueSlot(i, clients, settings, jobs, metrics, this::failed));
    }
  }

  public void start() {
    slots.forEach(QueueSlot::start);
  }

  /** Completes when all slots have ended: normally after {@link #close}, else with the failure. */
  public CompletableFuture<Void> stopped() {
    return stopped.copy();
  }

  private void failed(Throwable failure) {
    LOG.atError()
        .addKeyValue("worker", settings.name())
        .setCause(failure)
        .log("worker has stopped");
    stopped.completeExceptionally(failure);
    slots.forEach(QueueSlot::stop);
    jobs.stop();
  }

  /** Lets jobs come to an end for a bounded time, releases the rest, leaves the group. */
  @Override
  public void close() {
    slots.forEach(QueueSlot::stop);
    jobs.stop();
    slots.forEach(QueueSlot::await);
    jobs.interruptAll();
    producer.close();
    stopped.complete(null);
  }
}
