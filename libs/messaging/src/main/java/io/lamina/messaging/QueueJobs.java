package io.lamina.messaging;

import java.time.Clock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.random.RandomGenerator;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.jspecify.annotations.Nullable;

/**
 * The jobs that run in this process, by record. A record that comes again while its job still runs
 * (its lock was lost when a broker went away) joins that job instead of starting another.
 * Thread-safe.
 */
final class QueueJobs {
  /** How a job ended. */
  enum Outcome {
    /** Its results are written. */
    DONE,
    /** To be given to another worker, or to this one again. */
    RETRY,
    /** Set aside as a dead letter. */
    DEAD,
    /** The worker cannot go on; the record is given back. */
    FATAL
  }

  private final QueueWorker.Settings settings;
  private final QueueHandler handler;
  private final FailurePolicy policy;
  private final EventProducer producer;
  private final Semaphore permits;
  private final WorkerMetrics metrics;
  private final Clock clock;
  private final RandomGenerator random;
  private final ConcurrentHashMap<Received.Position, Job> running = new ConcurrentHashMap<>();
  private final AtomicBoolean stopping = new AtomicBoolean();

  QueueJobs(
      QueueWorker.Settings settings,
      QueueHandler handler,
      FailurePolicy policy,
      EventProducer producer,
      Semaphore permits,
      WorkerMetrics metrics,
      Clock clock,
      RandomGenerator random) {
    this.settings = settings;
    this.handler = handler;
    this.policy = policy;
    this.producer = producer;
    this.permits = permits;
    this.metrics = metrics;
    this.clock = clock;
    this.random = random;
  }

  /** The job of this record: the one that runs, or a new one if there is a permit. */
  Optional<Job> join(ConsumerRecord<byte[], byte[]> record) {
    Received.Position position = EventRecords.position(record);
    Job there = running.get(position);
    if (there != null) {
      return Optional.of(there);
    }
    if (!permits.tryAcquire()) {
      return Optional.empty();
    }
    Job job = new Job(position, record);
    running.put(position, job);
    job.thread.start();
    return Optional.of(job);
  }

  void stop() {
    stopping.set(true);
    running.values().forEach(Job::endPause);
  }

  void interruptAll() {
    running.values().forEach(job -> job.thread.interrupt());
  }

  /** One record's work, on a thread of its own. */
  final class Job {
    final Received.Position position;
    private final ConsumerRecord<byte[], byte[]> record;
    private final CountDownLatch done = new CountDownLatch(1);
    private final CountDownLatch stopPause = new CountDownLatch(1);
    private final Thread thread;
    private volatile Outcome outcome = Outcome.RETRY;
    private volatile @Nullable Throwable failure;

    Job(Received.Position position, ConsumerRecord<byte[], byte[]> record) {
      this.position = position;
      this.record = record;
      // Conversion is native code for most of its time: a virtual thread would pin its carrier.
      this.thread =
          Thread.ofPlatform()
              .daemon()
              .name(settings.name() + "-job-" + position)
              .unstarted(this::run);
    }

    /** The outcome, if there is one within the time. */
    Optional<Outcome> await(Duration time) throws InterruptedException {
      return done.await(time.toNanos(), TimeUnit.NANOSECONDS)
          ? Optional.of(outcome)
          : Optional.empty();
    }

    @Nullable Throwable failure() {
      return failure;
    }

    void interrupt() {
      thread.interrupt();
    }

    private void endPause() {
      stopPause.countDown();
    }

    private void run() {
      try {
        outcome = work();
      } catch (Throwable t) { // the thread's top
        failure = t;
        outcome = Outcome.RETRY;
      } finally {
        running.remove(position, this);
        permits.release();
        done.countDown();
      }
    }

    private Outcome work() throws InterruptedException {
      int attempt = record.deliveryCount().map(Short::intValue).orElse(1);
      Received received;
      try {
        received = EventRecords.decode(record);
      } catch (MessagingException.Corrupt e) {
        return setAside(null, e, attempt);
      }
      if (attempt > settings.maxDeliveries()) {
        return setAside(
            received,
            new MessagingException.Rejected(
                "the work did not end in "
                    + settings.maxDeliveries()
                    + " deliveries; the processes that did it may have crashed"),
            attempt - 1);
      }
      return attempt(received, attempt);
    }

    private Outcome attempt(Received received, int attempt) throws InterruptedException {
      for (int waits = 1; ; waits++) {
        try {
          long start = System.nanoTime();
          List<Outgoing> results =
              handler.handle(new QueueHandler.Delivery(received, attempt, stopping));
          say(received, results);
          metrics.batch(1, Duration.ofNanos(System.nanoTime() - start));
          return Outcome.DONE;
        } catch (InterruptedException e) {
          throw e;
        } catch (Throwable t) { // whatever a handler throws is judged by the policy
          failure = t;
          if (stopping.get()) {
            return Outcome.RETRY;
          }
          switch (policy.judge(t)) {
            case WAIT -> {
              if (!pause(t, waits)) {
                return Outcome.RETRY;
              }
            }
            case RETRY -> {
              if (attempt >= settings.maxDeliveries()) {
                return setAside(received, t, attempt);
              }
              pause(t, attempt);
              return Outcome.RETRY;
            }
            case REJECT -> {
              return setAside(received, t, attempt);
            }
            case STOP -> {
              return Outcome.FATAL;
            }
          }
        }
      }
    }

    /** Whether to go on; the record's lock is renewed meanwhile. */
    private boolean pause(Throwable cause, int failures) throws InterruptedException {
      Duration pause = settings.pauses().pauseAfter(failures, random);
      metrics.retried(position.toString(), cause, pause);
      return !stopPause.await(pause.toNanos(), TimeUnit.NANOSECONDS) && !stopping.get();
    }

    private void say(Received received, List<Outgoing> events) throws InterruptedException {
      List<Outgoing> caused = events.stream().map(event -> event.causedBy(received)).toList();
      write(() -> producer.send(caused));
    }

    /** Finished work is not done again because a broker is away: it waits with its results. */
    private void write(Runnable sending) throws InterruptedException {
      for (int failures = 1; ; failures++) {
        try {
          sending.run();
          return;
        } catch (MessagingException.Retryable | MessagingException.OutcomeUnknown e) {
          if (!pause(e, failures)) {
            throw e;
          }
        }
      }
    }

    private Outcome setAside(@Nullable Received received, Throwable cause, int attempts)
        throws InterruptedException {
      List<ProducerRecord<byte[], byte[]>> letters = new ArrayList<>();
      letters.add(DeadLetters.of(record, settings.group(), attempts, cause, clock.instant()));
      // Those who wait are told first: if it fails, the record comes again and so do they.
      if (received != null) {
        say(received, handler.abandoned(received, cause));
      } else {
        List<Outgoing> events = Salvage.of(record, cause, clock.instant());
        write(() -> producer.send(events));
      }
      write(() -> producer.sendRecords(letters));
      metrics.deadLetter(position.toString(), cause);
      failure = cause;
      return Outcome.DEAD;
    }
  }
}
