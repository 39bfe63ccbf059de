package io.lamina.messaging;

import java.time.Clock;
import java.time.Duration;
import java.util.List;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.errors.TimeoutException;

/**
 * Puts records back into the journal ({@link Topic#PUBLISHED}), each batch in one Kafka
 * transaction. All appenders share the transactional id {@value #TRANSACTIONAL_ID}: whoever opens
 * one fences the others, so that two can never append the same. Not thread-safe.
 */
public final class JournalAppender implements AutoCloseable {
  static final String TRANSACTIONAL_ID = "lamina.journal";

  private static final Duration CLOSE_TIMEOUT = Duration.ofSeconds(5);
  private static final int COMMIT_ATTEMPTS = 3;

  private final EventRecords records;
  private final KafkaProducer<byte[], byte[]> producer;

  /**
   * @throws MessagingException if the brokers do not answer, or refuse the transactional id
   */
  public JournalAppender(KafkaSettings kafka, Clock clock) {
    this.records = new EventRecords(kafka.clientName(), clock);
    this.producer = new KafkaClients(kafka).transactionalProducer(TRANSACTIONAL_ID);
    try {
      producer.initTransactions();
    } catch (KafkaException e) {
      producer.close(Duration.ZERO);
      throw KafkaFailures.translate("begin transactions as " + TRANSACTIONAL_ID, e);
    }
  }

  /**
   * Appends all of them or none.
   *
   * @throws MessagingException.OutcomeUnknown if the reply was lost: read the topic to find out
   * @throws MessagingException if nothing was appended
   */
  public void append(List<JournalRecord> batch) {
    boolean committing = false;
    try {
      producer.beginTransaction();
      for (JournalRecord record : batch) {
        producer.send(
            records.repeat(
                Topic.PUBLISHED,
                record.repository(),
                record.type(),
                record.value(),
                record.writtenAt()));
      }
      committing = true;
      commit();
    } catch (KafkaException e) {
      if (!committing) {
        abort();
      }
      throw KafkaFailures.translate(
          "append " + batch.size() + " record(s) to " + Topic.PUBLISHED.topicName(), e);
    }
  }

  private void commit() {
    for (int attempt = 1; ; attempt++) {
      try {
        producer.commitTransaction();
        return;
      } catch (TimeoutException e) {
        // The call may be repeated and goes on waiting for the same commit.
        if (attempt == COMMIT_ATTEMPTS) {
          throw e;
        }
      }
    }
  }

  private void abort() {
    try {
      producer.abortTransaction();
    } catch (KafkaException e) {
      // The next appender's initialisation ends it.
    }
  }

  @Override
  public void close() {
    producer.close(CLOSE_TIMEOUT);
  }
}
