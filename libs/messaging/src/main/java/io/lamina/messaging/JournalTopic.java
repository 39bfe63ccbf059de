package io.lamina.messaging;

import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.Collection;
import java.util.Map;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.BiPredicate;
import java.util.function.IntPredicate;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.TopicPartition;

/**
 * Reads the journal ({@link Topic#PUBLISHED}) from its start to where it ends when the reading
 * begins. Holds what one poll gave, at most 16 MiB and a record.
 *
 * <p>Thread-safe: each reading has a consumer of its own, on the caller's thread.
 */
public final class JournalTopic {
  /** More repositories than this are not told apart. */
  public static final int MAX_REPOSITORIES = 100_000;

  private static final Duration ASK = Duration.ofSeconds(30);
  private static final Duration POLL = Duration.ofMillis(500);
  // Longer than brokers keep a transaction open whose writer is gone: 60 s, and 10 s to notice.
  private static final Duration PATIENCE = Duration.ofSeconds(90);
  private static final int MAX_POLL_RECORDS = 500;

  /** Takes the records of one repository in their order. */
  @FunctionalInterface
  public interface Visitor {
    /** Whether the reading is to go on. */
    boolean visit(Received.Position position, JournalRecord record);
  }

  private final KafkaClients clients;

  public JournalTopic(KafkaSettings kafka) {
    this.clients = new KafkaClients(kafka);
  }

  /**
   * The keys that the topic has, sorted, and the partitions in which each is; reads all of it.
   *
   * @throws MessagingException.Retryable if the brokers do not answer
   * @throws MessagingException.Rejected if there is no such topic, or it has too many keys
   */
  public SortedMap<String, Collection<Integer>> repositories() {
    SortedMap<String, Collection<Integer>> found = new TreeMap<>();
    read(
        partition -> true,
        (at, record) -> {
          found.computeIfAbsent(key(record), _ -> new TreeSet<>()).add(at.partition());
          if (found.size() > MAX_REPOSITORIES) {
            throw new MessagingException.Rejected(
                "the journal has more than " + MAX_REPOSITORIES + " repositories");
          }
          return true;
        });
    return found;
  }

  /**
   * Hands over the records of one repository.
   *
   * @param partitions where they are; empty for all that there are
   * @throws MessagingException as {@link #repositories}, and what the visitor throws
   */
  public void read(String repository, Collection<Integer> partitions, Visitor visitor) {
    read(
        partition -> partitions.isEmpty() || partitions.contains(partition),
        (at, record) ->
            !key(record).equals(repository)
                || visitor.visit(
                    at,
                    new JournalRecord(
                        repository,
                        EventRecords.type(record),
                        record.value() == null ? new byte[0] : record.value(),
                        Instant.ofEpochMilli(record.timestamp()))));
  }

  private void read(
      IntPredicate wanted, BiPredicate<Received.Position, ConsumerRecord<byte[], byte[]>> sink) {
    try (KafkaConsumer<byte[], byte[]> consumer =
        clients.plainConsumer("journal", MAX_POLL_RECORDS)) {
      Map<TopicPartition, Long> ends = LogEnds.of(clients, Topic.PUBLISHED, ASK);
      ends.keySet().removeIf(partition -> !wanted.test(partition.partition()));
      Set<TopicPartition> partitions = Set.copyOf(ends.keySet());
      consumer.assign(partitions);
      consumer.seekToBeginning(partitions);
      long deadline = System.nanoTime() + PATIENCE.toNanos();
      long before = -1;
      while (true) {
        // The position passes what was aborted and the marks of transactions, which are no records.
        ends.entrySet().removeIf(end -> consumer.position(end.getKey()) >= end.getValue());
        if (ends.isEmpty()) {
          return;
        }
        consumer.pause(partitions.stream().filter(p -> !ends.containsKey(p)).toList());
        for (ConsumerRecord<byte[], byte[]> record : consumer.poll(POLL)) {
          TopicPartition partition = new TopicPartition(record.topic(), record.partition());
          Long end = ends.get(partition);
          if (end != null
              && record.offset() < end
              && !sink.test(EventRecords.position(record), record)) {
            return;
          }
        }
        long now = ends.keySet().stream().mapToLong(consumer::position).sum();
        if (now != before) {
          before = now;
          deadline = System.nanoTime() + PATIENCE.toNanos();
        } else if (System.nanoTime() > deadline) {
          throw new MessagingException.Retryable(
              "no more of the journal came within "
                  + PATIENCE.toSeconds()
                  + " s; are the brokers up?",
              null);
        }
      }
    } catch (KafkaException e) {
      throw KafkaFailures.translate("read " + Topic.PUBLISHED.topicName(), e);
    }
  }

  private static String key(ConsumerRecord<byte[], byte[]> record) {
    return record.key() == null ? "" : new String(record.key(), StandardCharsets.UTF_8);
  }
}
