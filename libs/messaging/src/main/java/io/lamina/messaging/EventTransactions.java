package io.lamina.messaging;

import java.time.Clock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.locks.ReentrantLock;
import java.util.random.RandomGenerator;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.KafkaException;
import org.jspecify.annotations.Nullable;

/**
 * Writes groups of events, all of a group or none of it. Groups that come while others are written
 * share the next Kafka transaction, so many callers cost little more than one.
 *
 * <p>Source: docs/protocol/topics.md, "Groups of events". Thread-safe.
 */
public final class EventTransactions implements AutoCloseable {
  /** Of one transaction: with statuses and requests of a few kilobytes each, below a megabyte. */
  private static final int MAX_GROUPS = 200;

  /** Readers of committed records wait so long for what a killed process has begun. */
  private static final Duration ABANDONED_AFTER = Duration.ofSeconds(15);

  private static final Duration CLOSE_TIMEOUT = Duration.ofSeconds(5);

  /** Encoded events that belong together. */
  private record Group(
      List<ProducerRecord<byte[], byte[]>> records, CompletableFuture<Void> written) {}

  private final KafkaClients clients;
  private final EventRecords encoder;
  private final String transactionalId;
  private final Queue<Group> waiting = new ConcurrentLinkedQueue<>();

  // One thread writes at a time, for all who wait. Guards what follows.
  private final ReentrantLock desk = new ReentrantLock();
  private @Nullable KafkaProducer<byte[], byte[]> producer;
  private boolean isClosed;

  /**
   * @param random tells this process's transactions from those of all others, which it must not end
   */
  public EventTransactions(KafkaSettings kafka, Clock clock, RandomGenerator random) {
    this.clients = new KafkaClients(kafka);
    this.encoder = new EventRecords(kafka.clientName(), clock);
    this.transactionalId =
        "lamina.events." + kafka.clientName() + "." + HexFormat.of().toHexDigits(random.nextLong());
  }

  /**
   * Returns when all events of the group are committed; blocks for some 15 s for each step that
   * brokers do not answer.
   *
   * @throws MessagingException.OutcomeUnknown if the commit was not answered: either all events or
   *     none of them will be seen
   * @throws MessagingException.Rejected if an event is too large; nothing was written of its group
   * @throws MessagingException.Retryable if nothing was written
   */
  public void send(List<Outgoing> events) {
    Group own =
        new Group(
            events.stream().map(event -> encoder.encode(event, null)).toList(),
            new CompletableFuture<>());
    waiting.add(own);
    desk.lock();
    try {
      while (!own.written().isDone()) {
        write(next());
      }
      own.written().join();
    } catch (CompletionException e) {
      throw e.getCause() instanceof MessagingException cause ? cause : e;
    } finally {
      desk.unlock();
    }
  }

  private List<Group> next() {
    List<Group> batch = new ArrayList<>();
    Group group;
    while (batch.size() < MAX_GROUPS && (group = waiting.poll()) != null) {
      batch.add(group);
    }
    return batch;
  }

  private void write(List<Group> batch) {
    try {
      commit(batch.stream().flatMap(group -> group.records().stream()).toList());
      batch.forEach(group -> group.written().complete(null));
    } catch (MessagingException.Rejected e) {
      if (batch.size() == 1) {
        batch.getFirst().written().completeExceptionally(e);
      } else {
        // One of them is to blame.
        batch.forEach(group -> write(List.of(group)));
      }
    } catch (MessagingException e) {
      batch.forEach(group -> group.written().completeExceptionally(e));
    }
  }

  private void commit(List<ProducerRecord<byte[], byte[]>> records) {
    String what = "write " + records.size() + " event(s) as " + transactionalId;
    if (isClosed) {
      throw new MessagingException.Retryable("could not " + what + ": the process stops", null);
    }
    boolean isCommitting = false;
    try {
      KafkaProducer<byte[], byte[]> current = open();
      current.beginTransaction();
      records.forEach(current::send);
      isCommitting = true;
      current.commitTransaction();
    } catch (KafkaException | IllegalStateException e) {
      // The next one to open ends what was begun, one way or the other.
      close(Duration.ZERO);
      // What broke a transaction earlier comes wrapped.
      Throwable cause = e.getClass() == KafkaException.class ? e.getCause() : null;
      MessagingException failure = KafkaFailures.translate(what, cause == null ? e : cause);
      throw failure instanceof MessagingException.OutcomeUnknown && !isCommitting
          ? new MessagingException.Retryable(String.valueOf(failure.getMessage()), e)
          : failure;
    }
  }

  private KafkaProducer<byte[], byte[]> open() {
    KafkaProducer<byte[], byte[]> current = producer;
    if (current == null) {
      current = clients.transactionalProducer(transactionalId, ABANDONED_AFTER);
      producer = current;
      current.initTransactions();
    }
    return current;
  }

  private void close(Duration timeout) {
    KafkaProducer<byte[], byte[]> current = producer;
    producer = null;
    if (current != null) {
      current.close(timeout);
    }
  }

  /** Waits for the group that is being written; further ones are refused. */
  @Override
  public void close() {
    desk.lock();
    try {
      isClosed = true;
      close(CLOSE_TIMEOUT);
    } finally {
      desk.unlock();
    }
  }
}
