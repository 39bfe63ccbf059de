package io.lamina.messaging;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.ListOffsetsOptions;
import org.apache.kafka.clients.admin.ListOffsetsResult.ListOffsetsResultInfo;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.clients.admin.TopicDescription;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.IsolationLevel;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.UnknownTopicOrPartitionException;

/**
 * How far a consumer group is in one partition of a topic. Immutable.
 *
 * @param committed offset of the next record that the group reads, or where the topic begins if it
 *     has read none
 * @param end offset after the last committed record
 */
public record GroupProgress(int partition, long committed, long end) {
  private static final long TIMEOUT_SECONDS = 20;

  /** Records that wait; those that end transactions count as well. */
  public long behind() {
    return Math.max(0, end - committed);
  }

  /**
   * Asks the brokers; one for each partition, none if there is no such topic. Blocks.
   *
   * @throws MessagingException.Retryable if they do not answer
   */
  public static List<GroupProgress> read(KafkaSettings kafka, String group, String topic) {
    try (Admin admin = new KafkaClients(kafka).admin()) {
      TopicDescription description =
          await(admin.describeTopics(List.of(topic)).allTopicNames()).get(topic);
      if (description == null) {
        return List.of();
      }
      Map<TopicPartition, OffsetSpec> first = new HashMap<>();
      Map<TopicPartition, OffsetSpec> last = new HashMap<>();
      description
          .partitions()
          .forEach(
              info -> {
                first.put(new TopicPartition(topic, info.partition()), OffsetSpec.earliest());
                last.put(new TopicPartition(topic, info.partition()), OffsetSpec.latest());
              });
      Map<TopicPartition, ListOffsetsResultInfo> begins = await(admin.listOffsets(first).all());
      Map<TopicPartition, ListOffsetsResultInfo> ends =
          await(
              admin.listOffsets(last, new ListOffsetsOptions(IsolationLevel.READ_COMMITTED)).all());
      Map<TopicPartition, OffsetAndMetadata> committed =
          await(admin.listConsumerGroupOffsets(group).partitionsToOffsetAndMetadata(group));
      List<GroupProgress> progress = new ArrayList<>();
      for (var info : description.partitions()) {
        TopicPartition partition = new TopicPartition(topic, info.partition());
        ListOffsetsResultInfo begin = begins.get(partition);
        ListOffsetsResultInfo end = ends.get(partition);
        OffsetAndMetadata at = committed.get(partition);
        progress.add(
            new GroupProgress(
                info.partition(),
                at != null ? at.offset() : begin == null ? 0 : begin.offset(),
                end == null ? 0 : end.offset()));
      }
      return progress;
    } catch (UnknownTopicOrPartitionException e) {
      return List.of();
    } catch (KafkaException e) {
      throw KafkaFailures.translate("ask how far group " + group + " is in " + topic, e);
    }
  }

  private static <T> T await(org.apache.kafka.common.KafkaFuture<T> answer) {
    try {
      return answer.get(TIMEOUT_SECONDS, TimeUnit.SECONDS);
    } catch (ExecutionException e) {
      if (e.getCause() instanceof KafkaException failure) {
        throw failure;
      }
      throw new KafkaException("the brokers gave no answer", e);
    } catch (TimeoutException e) {
      throw new MessagingException.Retryable("the brokers did not answer", e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new MessagingException.Retryable("interrupted while asking the brokers", e);
    }
  }
}
