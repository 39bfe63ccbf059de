package io.lamina.messaging;

import static java.util.Objects.requireNonNull;

import io.micrometer.core.instrument.MeterRegistry;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.RetriableException;
import org.apache.kafka.common.errors.WakeupException;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Reads a whole topic from its start and then follows it, outside of any group: for tables
 * (compacted topics) and for the journal. One platform thread owns the consumer and calls the fold.
 *
 * <p>{@link #start} and {@link #close} are thread-safe.
 */
public final class TableReader implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(TableReader.class);
  private static final Duration POLL = Duration.ofMillis(500);
  // A reader that is closed meanwhile waits so long.
  private static final Duration ASK = Duration.ofSeconds(5);
  private static final Duration ERROR_PAUSE = Duration.ofSeconds(1);
  private static final int MAX_POLL_RECORDS = 1000;

  /** Takes the records, each partition's in order; on the reader's thread. */
  @FunctionalInterface
  public interface Fold {
    void accept(Received record);
  }

  /** The same for what need not be an event. */
  @FunctionalInterface
  interface RawFold {
    void accept(ConsumerRecord<byte[], byte[]> record);
  }

  private final String name;
  private final Topic topic;
  private final RawFold fold;
  private final WorkerMetrics metrics;
  private final KafkaClients clients;
  private final KafkaConsumer<byte[], byte[]> consumer;
  private final CompletableFuture<Void> caughtUp = new CompletableFuture<>();
  private final CompletableFuture<Void> stopped = new CompletableFuture<>();
  private final Thread thread;
  private volatile boolean stopping;

  // Where the next record of each partition is; guarded by the lock.
  private final ReentrantLock lock = new ReentrantLock();
  private final Condition moved = lock.newCondition();
  private final Map<TopicPartition, Long> positions = new HashMap<>();

  /**
   * @param name in thread names, metrics and logs
   * @param fold a failure of it ends the reader
   */
  public TableReader(
      KafkaSettings kafka, String name, Topic topic, Fold fold, MeterRegistry registry) {
    this(kafka, name, topic, new WorkerMetrics(registry, name, () -> 0, () -> 0), fold, null);
  }

  /** For a topic whose records need not be events. */
  static TableReader raw(
      KafkaSettings kafka, String name, Topic topic, RawFold fold, MeterRegistry registry) {
    return new TableReader(
        kafka, name, topic, new WorkerMetrics(registry, name, () -> 0, () -> 0), null, fold);
  }

  private TableReader(
      KafkaSettings kafka,
      String name,
      Topic topic,
      WorkerMetrics metrics,
      @Nullable Fold events,
      @Nullable RawFold raw) {
    this.name = name;
    this.topic = topic;
    this.metrics = metrics;
    this.fold = raw != null ? raw : record -> take(record, requireNonNull(events));
    this.clients = new KafkaClients(kafka);
    this.consumer = clients.plainConsumer(name, MAX_POLL_RECORDS);
    this.thread = Thread.ofPlatform().daemon().name(name + "-table").unstarted(this::run);
  }

  public void start() {
    thread.start();
  }

  /**
   * Completes when everything that was in the topic at the start has been folded; fails when the
   * reader ends before.
   */
  public CompletableFuture<Void> caughtUp() {
    return caughtUp.copy();
  }

  /** Completes when the reader has ended: normally after {@link #close}, else with the failure. */
  public CompletableFuture<Void> stopped() {
    return stopped.copy();
  }

  @Override
  public void close() {
    stopping = true;
    consumer.wakeup();
    try {
      if (thread.getState() == Thread.State.NEW) {
        consumer.close();
      } else {
        thread.join();
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private void run() {
    Throwable failure = null;
    try (consumer) {
      Map<TopicPartition, Long> ends = assign();
      while (!stopping) {
        turn(ends);
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    } catch (Throwable t) { // the thread's top
      failure = t;
    }
    if (failure == null) {
      caughtUp.completeExceptionally(
          new MessagingException.Retryable(name + " was stopped before it caught up", null));
      stopped.complete(null);
    } else {
      LOG.atError().addKeyValue("worker", name).setCause(failure).log("table reader has stopped");
      caughtUp.completeExceptionally(failure);
      stopped.completeExceptionally(failure);
    }
    lock.lock();
    try {
      moved.signalAll();
    } finally {
      lock.unlock();
    }
  }

  /** The end of each partition now. */
  private Map<TopicPartition, Long> assign() throws InterruptedException {
    while (!stopping) {
      try {
        Map<TopicPartition, Long> ends = LogEnds.of(clients, topic, ASK);
        consumer.assign(ends.keySet());
        consumer.seekToBeginning(ends.keySet());
        return ends;
      } catch (WakeupException | RetriableException | MessagingException.Retryable e) {
        waitAfter(e);
      }
    }
    return new HashMap<>();
  }

  private void turn(Map<TopicPartition, Long> ends) throws InterruptedException {
    try {
      for (ConsumerRecord<byte[], byte[]> record : consumer.poll(POLL)) {
        fold.accept(record);
      }
      metrics.progress();
      note();
      if (!caughtUp.isDone()) {
        ends.entrySet().removeIf(end -> consumer.position(end.getKey()) >= end.getValue());
        if (ends.isEmpty()) {
          caughtUp.complete(null);
        }
      }
    } catch (WakeupException | RetriableException e) {
      waitAfter(e);
    }
  }

  private void note() {
    lock.lock();
    try {
      consumer.assignment().forEach(p -> positions.put(p, consumer.position(p)));
      moved.signalAll();
    } finally {
      lock.unlock();
    }
  }

  /** Whether everything before these offsets is folded, within the time. */
  boolean awaitFolded(Map<TopicPartition, Long> ends, Duration timeout)
      throws InterruptedException {
    long nanos = timeout.toNanos();
    lock.lock();
    try {
      while (!ends.entrySet().stream()
          .allMatch(end -> positions.getOrDefault(end.getKey(), -1L) >= end.getValue())) {
        if (nanos <= 0 || stopped.isDone()) {
          return false;
        }
        nanos = moved.awaitNanos(nanos);
      }
      return true;
    } finally {
      lock.unlock();
    }
  }

  private void take(ConsumerRecord<byte[], byte[]> record, Fold events) {
    Received received;
    try {
      received = EventRecords.decode(record);
    } catch (MessagingException.Corrupt e) {
      // A reader cannot set records aside; others go on, and somebody must look.
      metrics.deadLetter(EventRecords.position(record).toString(), e);
      return;
    }
    events.accept(received);
    metrics.committed(1);
  }

  private void waitAfter(RuntimeException e) throws InterruptedException {
    if (!stopping && !(e instanceof WakeupException)) {
      LOG.atWarn()
          .addKeyValue("worker", name)
          .addKeyValue("cause", e.toString())
          .log("reading failed; it goes on");
      Thread.sleep(ERROR_PAUSE);
    }
  }
}
