package io.lamina.messaging;

import java.time.Duration;
import java.util.HashMap;
import java.util.Map;

/**
 * How the topics are made. Immutable.
 *
 * <p>Source: docs/protocol/topics.md.
 *
 * @param partitions of every topic that is read by a consumer group or as a table; bounds how many
 *     repositories are worked on at once
 * @param workPartitions of the work queue; one lets every free worker take the next record, more
 *     pin records to workers as long as there are fewer workers than partitions
 * @param replication copies of each partition
 * @param workRetention how long requests, plans, results and work wait for a reader
 * @param deadLetterRetention how long failed records wait for a person
 * @param lockDuration after which a worker that says nothing has lost its record; brokers allow 15
 *     to 60 s unless they are configured otherwise
 * @param deliveryLimit how often the broker gives out a record of the work queue, 2 to 10; above
 *     the workers' own limit, so that they and not the broker give up, loudly
 */
public record TopicSettings(
    int partitions,
    int workPartitions,
    short replication,
    Duration workRetention,
    Duration deadLetterRetention,
    Duration lockDuration,
    int deliveryLimit) {
  private static final int MAX_PARTITIONS = 1000;

  public TopicSettings {
    if (partitions < 1 || partitions > MAX_PARTITIONS) {
      throw new MessagingException.Rejected("partitions: 1 to 1000, not " + partitions);
    }
    if (workPartitions < 1 || workPartitions > MAX_PARTITIONS) {
      throw new MessagingException.Rejected("work partitions: 1 to 1000, not " + workPartitions);
    }
    if (replication < 1) {
      throw new MessagingException.Rejected("replication: 1 or more, not " + replication);
    }
  }

  /** For one broker in the same process. */
  public static TopicSettings embedded() {
    return new TopicSettings(
        4, 1, (short) 1, Duration.ofDays(30), Duration.ofDays(90), Duration.ofSeconds(30), 10);
  }

  /** For a cluster of three brokers or more. */
  public static TopicSettings cluster() {
    return new TopicSettings(
        12, 1, (short) 3, Duration.ofDays(30), Duration.ofDays(90), Duration.ofSeconds(30), 10);
  }

  public TopicSettings withPartitions(int newPartitions) {
    return new TopicSettings(
        newPartitions,
        workPartitions,
        replication,
        workRetention,
        deadLetterRetention,
        lockDuration,
        deliveryLimit);
  }

  public TopicSettings withLockDuration(Duration newLockDuration) {
    return new TopicSettings(
        partitions,
        workPartitions,
        replication,
        workRetention,
        deadLetterRetention,
        newLockDuration,
        deliveryLimit);
  }

  int partitionsOf(Topic topic) {
    return switch (topic) {
      case LAYERS -> workPartitions;
      case DEAD_LETTERS -> 1;
      case CONVERSIONS, REPOSITORY, PENDING, PUBLISHED, STATUS -> partitions;
    };
  }

  Map<String, String> configOf(Topic topic) {
    Map<String, String> config = new HashMap<>();
    config.put("max.message.bytes", String.valueOf(Topics.MAX_MESSAGE_BYTES));
    if (replication >= 3) {
      config.put("min.insync.replicas", "2");
    }
    switch (topic) {
      case CONVERSIONS, REPOSITORY, LAYERS ->
          config.put("retention.ms", String.valueOf(workRetention.toMillis()));
      case DEAD_LETTERS -> {
        config.put("cleanup.policy", "compact,delete");
        config.put("retention.ms", String.valueOf(deadLetterRetention.toMillis()));
      }
      case PUBLISHED -> {
        config.put("cleanup.policy", "delete");
        config.put("retention.ms", "-1");
        config.put("retention.bytes", "-1");
      }
      case PENDING, STATUS -> {
        config.put("cleanup.policy", "compact");
        config.put("min.cleanable.dirty.ratio", "0.2");
      }
    }
    return config;
  }

  Map<String, String> groupConfig() {
    return Map.of(
        "share.auto.offset.reset",
        "earliest",
        "share.isolation.level",
        "read_committed",
        "share.record.lock.duration.ms",
        String.valueOf(lockDuration.toMillis()),
        "share.delivery.count.limit",
        String.valueOf(deliveryLimit));
  }
}
