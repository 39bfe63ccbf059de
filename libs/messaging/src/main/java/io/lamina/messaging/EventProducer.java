package io.lamina.messaging;

import java.time.Clock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.KafkaException;

/**
 * Writes events outside a transaction: acknowledged by all in-sync copies, without duplicates from
 * its own retries. Thread-safe; one per process is enough.
 */
public final class EventProducer implements AutoCloseable {
  private static final Duration CLOSE_TIMEOUT = Duration.ofSeconds(5);

  private final KafkaProducer<byte[], byte[]> producer;
  private final EventRecords records;
  private final Duration timeout;

  /**
   * @param timeout how long {@link #send} waits for acknowledgements
   */
  public EventProducer(KafkaSettings kafka, Clock clock, Duration timeout) {
    this.producer = new KafkaClients(kafka).producer("events");
    this.records = new EventRecords(kafka.clientName(), clock);
    this.timeout = timeout;
  }

  /**
   * Writes events and returns when all are acknowledged; blocks for at most the timeout.
   *
   * @throws MessagingException.OutcomeUnknown if an acknowledgement did not come: sending again is
   *     harmless, as readers take an event twice without harm
   * @throws MessagingException.Rejected if an event is too large; nothing was written of it
   */
  public void send(List<Outgoing> events) {
    sendRecords(events.stream().map(this::encode).toList());
  }

  public void send(Outgoing event) {
    send(List.of(event));
  }

  /**
   * As {@link #send}, without waiting for the acknowledgement; may block up to 15 s where there is
   * no connection or no room in the buffer, so not for an event loop.
   */
  public CompletableFuture<Void> sendAsync(Outgoing event) {
    CompletableFuture<Void> result = new CompletableFuture<>();
    try {
      producer.send(
          encode(event),
          (_, failure) -> {
            if (failure == null) {
              result.complete(null);
            } else {
              result.completeExceptionally(
                  KafkaFailures.translate("write to " + event.topic().topicName(), failure));
            }
          });
    } catch (KafkaException e) {
      result.completeExceptionally(
          KafkaFailures.translate("write to " + event.topic().topicName(), e));
    }
    return result;
  }

  void sendRecords(List<ProducerRecord<byte[], byte[]>> toSend) {
    long deadline = System.nanoTime() + timeout.toNanos();
    List<Future<RecordMetadata>> acknowledgements = new ArrayList<>(toSend.size());
    try {
      for (ProducerRecord<byte[], byte[]> record : toSend) {
        acknowledgements.add(producer.send(record));
      }
      for (Future<RecordMetadata> acknowledgement : acknowledgements) {
        acknowledgement.get(Math.max(0, deadline - System.nanoTime()), TimeUnit.NANOSECONDS);
      }
    } catch (ExecutionException | KafkaException e) {
      throw KafkaFailures.translate("write " + describe(toSend), e);
    } catch (TimeoutException e) {
      throw new MessagingException.OutcomeUnknown(
          "no acknowledgement within " + timeout + " for " + describe(toSend), e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new MessagingException.OutcomeUnknown(
          "interrupted while waiting for the acknowledgement of " + describe(toSend), e);
    }
  }

  private ProducerRecord<byte[], byte[]> encode(Outgoing event) {
    if (event.topic() == Topic.PENDING) {
      throw new MessagingException.Rejected(
          "notes are written by the owner of their partition, in its transaction: " + event.key());
    }
    return records.encode(event, null);
  }

  private static String describe(List<ProducerRecord<byte[], byte[]>> records) {
    return records.size()
        + " record(s) to "
        + records.stream().map(r -> r.topic()).distinct().toList();
  }

  @Override
  public void close() {
    producer.close(CLOSE_TIMEOUT);
  }
}
