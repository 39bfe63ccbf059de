package io.lamina.messaging;

import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;
import org.apache.kafka.clients.consumer.AcknowledgeType;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.apache.kafka.clients.consumer.KafkaShareConsumer;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.TopicIdPartition;
import org.apache.kafka.common.errors.InterruptException;
import org.apache.kafka.common.errors.RetriableException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One member of the share group: a consumer, the platform thread that owns it, and at most one
 * record at a time. It waits for the record's job and renews the lock meanwhile.
 */
final class QueueSlot {
  private static final Logger LOG = LoggerFactory.getLogger(QueueSlot.class);
  private static final Duration POLL = Duration.ofMillis(500);
  private static final Duration ACKNOWLEDGE_TIMEOUT = Duration.ofSeconds(15);
  private static final Duration LOOK_AT_STOP = Duration.ofMillis(200);
  private static final Duration ERROR_PAUSE = Duration.ofSeconds(1);

  private final QueueWorker.Settings settings;
  private final QueueJobs jobs;
  private final WorkerMetrics metrics;
  private final Consumer<Throwable> onFailure;
  private final KafkaShareConsumer<byte[], byte[]> consumer;
  private final Thread thread;
  private volatile boolean stopping;

  QueueSlot(
      int number,
      KafkaClients clients,
      QueueWorker.Settings settings,
      QueueJobs jobs,
      WorkerMetrics metrics,
      Consumer<Throwable> onFailure) {
    this.settings = settings;
    this.jobs = jobs;
    this.metrics = metrics;
    this.onFailure = onFailure;
    this.consumer = clients.shareConsumer(settings.group(), number);
    this.thread =
        Thread.ofPlatform().name(settings.name() + "-slot-" + number).unstarted(this::run);
  }

  void start() {
    thread.start();
  }

  void stop() {
    // No wake-up: it could hit an acknowledgement. The loop looks often enough.
    stopping = true;
  }

  void await() {
    boolean interrupted = false;
    while (true) {
      try {
        if (thread.getState() == Thread.State.NEW) {
          consumer.close();
        } else {
          thread.join();
        }
        break;
      } catch (InterruptedException e) {
        interrupted = true; // the wait is bounded by the stop timeout
      }
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }

  private void run() {
    try (consumer) {
      consumer.subscribe(java.util.List.of(settings.topic().topicName()));
      while (!stopping) {
        turn();
      }
    } catch (InterruptedException | InterruptException e) {
      Thread.currentThread().interrupt();
    } catch (Throwable t) { // the thread's top
      onFailure.accept(t);
    }
  }

  private void turn() throws InterruptedException {
    try {
      ConsumerRecords<byte[], byte[]> records = consumer.poll(POLL);
      metrics.progress();
      for (ConsumerRecord<byte[], byte[]> record : records) {
        serve(record);
      }
    } catch (RetriableException e) {
      LOG.atWarn()
          .addKeyValue("worker", settings.name())
          .addKeyValue("cause", e.toString())
          .log("polling failed; it goes on");
      Thread.sleep(ERROR_PAUSE);
    }
  }

  /** From a record's arrival to its last acknowledgement, or to the loss of its lock. */
  private void serve(ConsumerRecord<byte[], byte[]> record) throws InterruptedException {
    Optional<QueueJobs.Job> job = jobs.join(record);
    long renewAt = System.nanoTime() + settings.renewInterval().toNanos();
    long stopAt = Long.MAX_VALUE;
    while (true) {
      if (stopping && stopAt == Long.MAX_VALUE) {
        stopAt = System.nanoTime() + settings.stopTimeout().toNanos();
      }
      if (job.isEmpty() && !stopping) {
        // All permits were taken by jobs that had lost their records.
        job = jobs.join(record);
      }
      boolean late = stopping && System.nanoTime() - stopAt >= 0;
      if (stopping && job.isEmpty() || late) {
        job.ifPresent(QueueJobs.Job::interrupt);
        acknowledge(record, AcknowledgeType.RELEASE);
        return;
      }
      Optional<QueueJobs.Outcome> outcome = await(job);
      if (outcome.isPresent()) {
        finish(record, job.orElseThrow(), outcome.get());
        return;
      }
      metrics.progress();
      if (System.nanoTime() - renewAt >= 0) {
        if (!renew(record)) {
          return;
        }
        renewAt = System.nanoTime() + settings.renewInterval().toNanos();
      }
    }
  }

  private Optional<QueueJobs.Outcome> await(Optional<QueueJobs.Job> job)
      throws InterruptedException {
    if (job.isPresent()) {
      return job.get().await(LOOK_AT_STOP);
    }
    Thread.sleep(LOOK_AT_STOP);
    return Optional.empty();
  }

  private void finish(
      ConsumerRecord<byte[], byte[]> record, QueueJobs.Job job, QueueJobs.Outcome outcome) {
    switch (outcome) {
      case DONE -> {
        if (acknowledge(record, AcknowledgeType.ACCEPT)) {
          metrics.committed(1);
        }
      }
      case DEAD -> acknowledge(record, AcknowledgeType.REJECT);
      case RETRY -> acknowledge(record, AcknowledgeType.RELEASE);
      case FATAL -> {
        acknowledge(record, AcknowledgeType.RELEASE);
        Throwable cause = job.failure();
        throw new MessagingException.Fatal(
            settings.name() + " cannot go on: " + (cause == null ? "?" : cause.getMessage()),
            cause);
      }
    }
  }

  /** Whether the record is still this member's. */
  private boolean renew(ConsumerRecord<byte[], byte[]> record) {
    if (!acknowledge(record, AcknowledgeType.RENEW)) {
      return false;
    }
    // A poll hands renewed records back, which makes them ready for the next acknowledgement.
    long deadline = System.nanoTime() + settings.renewInterval().toNanos();
    do {
      for (ConsumerRecord<byte[], byte[]> back : consumer.poll(Duration.ofMillis(100))) {
        if (EventRecords.position(back).equals(EventRecords.position(record))) {
          return true;
        }
        // The renewal came to nothing and the next record came: one at a time is all there is.
        consumer.acknowledge(back, AcknowledgeType.RELEASE);
      }
    } while (System.nanoTime() - deadline < 0);
    metrics.lost(
        EventRecords.position(record).toString(), new IllegalStateException("not renewed"));
    return false;
  }

  /** Whether the broker took it; if not, the record comes again, here or elsewhere. */
  private boolean acknowledge(ConsumerRecord<byte[], byte[]> record, AcknowledgeType type) {
    try {
      consumer.acknowledge(record, type);
      Map<TopicIdPartition, Optional<KafkaException>> results =
          consumer.commitSync(ACKNOWLEDGE_TIMEOUT);
      if (results.isEmpty()) {
        metrics.lost(
            EventRecords.position(record) + " " + type,
            new IllegalStateException("the broker did not answer"));
        return false;
      }
      for (Optional<KafkaException> failure : results.values()) {
        if (failure.isPresent()) {
          metrics.lost(EventRecords.position(record) + " " + type, failure.get());
          return false;
        }
      }
      return true;
    } catch (IllegalStateException | KafkaException e) {
      metrics.lost(EventRecords.position(record) + " " + type, e);
      return false;
    }
  }
}
