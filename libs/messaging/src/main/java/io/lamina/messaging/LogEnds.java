package io.lamina.messaging;

import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.ListOffsetsOptions;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.common.IsolationLevel;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.UnknownTopicOrPartitionException;

/**
 * Where the partitions of a topic end, open transactions included: who reads committed records up
 * to there has read all that was committed before the question. A consumer of committed records
 * would answer with the last stable offset instead, and a commit passes that only when its marks
 * are written, which is after the committer was told.
 *
 * <p>Stateless.
 */
final class LogEnds {
  private LogEnds() {}

  /**
   * Asks the brokers; blocks.
   *
   * @param timeout of each of the two questions
   * @return of each partition the offset after its last record
   * @throws MessagingException.Rejected if there is no such topic
   * @throws MessagingException.Retryable if the brokers do not answer
   */
  static Map<TopicPartition, Long> of(KafkaClients clients, Topic topic, Duration timeout) {
    try (Admin admin = clients.admin()) {
      List<TopicPartition> partitions = partitions(admin, topic.topicName(), timeout);
      if (partitions.isEmpty()) {
        throw new MessagingException.Rejected("there is no topic " + topic.topicName());
      }
      Map<TopicPartition, Long> ends = new HashMap<>();
      KafkaFailures.await(
              "ask where " + topic.topicName() + " ends",
              admin
                  .listOffsets(
                      partitions.stream()
                          .collect(Collectors.toMap(p -> p, _ -> OffsetSpec.latest())),
                      new ListOffsetsOptions(IsolationLevel.READ_UNCOMMITTED))
                  .all(),
              timeout)
          .forEach((partition, end) -> ends.put(partition, end.offset()));
      return ends;
    }
  }

  /**
   * Of a topic, in their order; none if there is no such topic.
   *
   * @throws MessagingException.Retryable if the brokers do not answer
   */
  static List<TopicPartition> partitions(Admin admin, String topic, Duration timeout) {
    try {
      return KafkaFailures.await(
              "ask for the partitions of " + topic,
              admin.describeTopics(List.of(topic)).allTopicNames(),
              timeout)
          .values()
          .stream()
          .flatMap(found -> found.partitions().stream())
          .map(info -> new TopicPartition(topic, info.partition()))
          .toList();
    } catch (MessagingException.Retryable e) {
      if (e.getCause() instanceof UnknownTopicOrPartitionException) {
        return List.of();
      }
      throw e;
    }
  }
}
