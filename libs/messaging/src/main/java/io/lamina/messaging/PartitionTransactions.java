package io.lamina.messaging;

import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.function.Supplier;
import org.apache.kafka.clients.consumer.CommitFailedException;
import org.apache.kafka.clients.consumer.ConsumerGroupMetadata;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.FencedInstanceIdException;
import org.apache.kafka.common.errors.InvalidProducerEpochException;
import org.apache.kafka.common.errors.ProducerFencedException;
import org.apache.kafka.common.errors.TimeoutException;
import org.jspecify.annotations.Nullable;

/**
 * The transactions of one partition's owner: produced records and the consumed offset, both or
 * neither.
 *
 * <p>One transactional id per partition: a new owner's first call fences the former owner's
 * producer and ends its open transaction at once, so that after a kill nobody waits for a timeout
 * and nobody reads the state before it is final. Between {@link #open} and {@link #close} for the
 * partition's thread alone.
 */
final class PartitionTransactions implements AutoCloseable {
  private static final int COMMIT_ATTEMPTS = 4;
  private static final int GENERATION_ATTEMPTS = 10;
  private static final Duration GENERATION_PAUSE = Duration.ofMillis(200);

  private final KafkaClients clients;
  private final String transactionalId;
  private final TopicPartition source;
  private final Supplier<ConsumerGroupMetadata> membership;
  // Written by the owner's loop while no lane runs, read by the lane, closed by either.
  private volatile @Nullable KafkaProducer<byte[], byte[]> producer;
  private volatile boolean begun;

  PartitionTransactions(
      KafkaClients clients,
      String group,
      TopicPartition source,
      Supplier<ConsumerGroupMetadata> membership) {
    this.clients = clients;
    this.transactionalId = group + "." + source.topic() + "." + source.partition();
    this.source = source;
    this.membership = membership;
  }

  boolean isOpen() {
    return producer != null;
  }

  /** Fences former owners and ends what they left open. */
  void open() {
    KafkaProducer<byte[], byte[]> opened = clients.transactionalProducer(transactionalId);
    try {
      opened.initTransactions();
    } catch (KafkaException e) {
      opened.close(Duration.ZERO);
      throw KafkaFailures.translate("begin transactions as " + transactionalId, e);
    }
    producer = opened;
  }

  /**
   * Begins the transaction that the next {@link #commit} ends, and has the brokers check that its
   * producer and this member of the group are not superseded.
   *
   * @param offset of the first record that is not done
   */
  void confirm(long offset) {
    inGeneration(
        (current, member) -> {
          begin(current);
          current.sendOffsetsToTransaction(Map.of(source, new OffsetAndMetadata(offset)), member);
        },
        "confirm the ownership of " + source);
  }

  /**
   * @param nextOffset of the source partition; empty leaves it where it is
   */
  void commit(List<ProducerRecord<byte[], byte[]>> records, OptionalLong nextOffset) {
    inGeneration(
        (current, member) -> {
          begin(current);
          records.forEach(current::send);
          if (nextOffset.isPresent()) {
            current.sendOffsetsToTransaction(
                Map.of(source, new OffsetAndMetadata(nextOffset.getAsLong())), member);
          }
          finish(current);
          begun = false;
        },
        "commit a transaction of " + source);
  }

  /** Ends what was begun and not committed, without effect. */
  void rollBack() {
    KafkaProducer<byte[], byte[]> current = producer;
    if (begun && current != null) {
      abort(current);
    }
  }

  private interface Step {
    void run(KafkaProducer<byte[], byte[]> current, ConsumerGroupMetadata member);
  }

  /** Does the step, anew if the group moves on to a generation in which the partition stayed. */
  private void inGeneration(Step step, String what) {
    KafkaProducer<byte[], byte[]> current = producer;
    if (current == null) {
      throw new MessagingException.PartitionLost(source + " was given up", null);
    }
    for (int attempt = 1; ; attempt++) {
      ConsumerGroupMetadata member = membership.get();
      try {
        step.run(current, member);
        return;
      } catch (ProducerFencedException
          | InvalidProducerEpochException
          | FencedInstanceIdException e) {
        abandon();
        throw new MessagingException.PartitionLost(source + " has another owner", e);
      } catch (CommitFailedException e) {
        // The group has moved on to another generation, perhaps with this partition still here.
        abort(current);
        if (attempt == GENERATION_ATTEMPTS || !awaitOtherGeneration(member)) {
          throw new MessagingException.PartitionLost(source + " may have another owner", e);
        }
      } catch (KafkaException e) {
        abort(current);
        throw KafkaFailures.translate(what, e);
      } catch (IllegalStateException e) {
        // What a producer says when it was closed under the hands of its user.
        if (producer == null) {
          throw new MessagingException.PartitionLost(source + " was given up", e);
        }
        throw e;
      }
    }
  }

  private void begin(KafkaProducer<byte[], byte[]> current) {
    if (!begun) {
      current.beginTransaction();
      begun = true;
    }
  }

  private void finish(KafkaProducer<byte[], byte[]> current) {
    for (int attempt = 1; ; attempt++) {
      try {
        current.commitTransaction();
        return;
      } catch (TimeoutException e) {
        // The call may be repeated and goes on waiting for the same commit.
        if (attempt == COMMIT_ATTEMPTS) {
          abandon();
          throw new MessagingException.OutcomeUnknown(
              "no answer to the commit of a transaction of " + source, e);
        }
      }
    }
  }

  private void abort(KafkaProducer<byte[], byte[]> current) {
    begun = false;
    try {
      current.abortTransaction();
    } catch (KafkaException | IllegalStateException e) {
      // The next open ends it.
      abandon();
    }
  }

  private boolean awaitOtherGeneration(ConsumerGroupMetadata old) {
    try {
      for (int i = 0; i < GENERATION_ATTEMPTS; i++) {
        Thread.sleep(GENERATION_PAUSE);
        if (membership.get().generationId() != old.generationId()) {
          return producer != null;
        }
      }
      return false;
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return false;
    }
  }

  private void abandon() {
    begun = false;
    KafkaProducer<byte[], byte[]> current = producer;
    producer = null;
    if (current != null) {
      current.close(Duration.ZERO);
    }
  }

  /** Commits are refused from now on; an open transaction ends without effect. */
  @Override
  public void close() {
    abandon();
  }
}
