package io.lamina.messaging;

import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.ListOffsetsOptions;
import org.apache.kafka.clients.admin.ListOffsetsResult.ListOffsetsResultInfo;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.IsolationLevel;
import org.apache.kafka.common.KafkaFuture;
import org.apache.kafka.common.TopicPartition;

/**
 * How far a consumer group is in one partition of a topic. Immutable.
 *
 * @param committed offset of the next record that the group reads, or where the topic begins if it
 *     has read none
 * @param end offset after the last committed record
 */
public record GroupProgress(int partition, long committed, long end) {
  private static final Duration TIMEOUT = Duration.ofSeconds(20);

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
    String what = "ask how far group " + group + " is in " + topic;
    try (Admin admin = new KafkaClients(kafka).admin()) {
      List<TopicPartition> partitions = LogEnds.partitions(admin, topic, TIMEOUT);
      Map<TopicPartition, OffsetSpec> first = new HashMap<>();
      Map<TopicPartition, OffsetSpec> last = new HashMap<>();
      partitions.forEach(
          partition -> {
            first.put(partition, OffsetSpec.earliest());
            last.put(partition, OffsetSpec.latest());
          });
      Map<TopicPartition, ListOffsetsResultInfo> begins =
          await(what, admin.listOffsets(first).all());
      Map<TopicPartition, ListOffsetsResultInfo> ends =
          await(
              what,
              admin.listOffsets(last, new ListOffsetsOptions(IsolationLevel.READ_COMMITTED)).all());
      Map<TopicPartition, OffsetAndMetadata> committed =
          await(what, admin.listConsumerGroupOffsets(group).partitionsToOffsetAndMetadata(group));
      List<GroupProgress> progress = new ArrayList<>();
      for (TopicPartition partition : partitions) {
        ListOffsetsResultInfo begin = begins.get(partition);
        ListOffsetsResultInfo end = ends.get(partition);
        OffsetAndMetadata at = committed.get(partition);
        progress.add(
            new GroupProgress(
                partition.partition(),
                at != null ? at.offset() : begin == null ? 0 : begin.offset(),
                end == null ? 0 : end.offset()));
      }
      return progress;
    }
  }

  private static <T> T await(String what, KafkaFuture<T> answer) {
    return KafkaFailures.await(what, answer, TIMEOUT);
  }
}
