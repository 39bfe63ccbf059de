package io.lamina.messaging;

import static java.util.Objects.requireNonNull;

import io.lamina.messaging.event.EventJson;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.AlterConfigOp;
import org.apache.kafka.clients.admin.Config;
import org.apache.kafka.clients.admin.ConfigEntry;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.admin.TopicDescription;
import org.apache.kafka.common.KafkaFuture;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.errors.TopicExistsException;
import org.apache.kafka.common.errors.UnknownTopicOrPartitionException;

/**
 * Creates what is missing of topics and group settings and refuses to run on topics that do not
 * fit. Doing it again changes nothing. Thread-safe.
 *
 * <p>Source: docs/protocol/topics.md.
 */
public final class Topics {
  /** Of a batch on the wire; leaves room for headers around the longest event. */
  static final int MAX_MESSAGE_BYTES = EventJson.MAX_BYTES + (1 << 20);

  /** The share group of the converters. */
  public static final String CONVERTERS = "lamina.converters";

  /** The consumer group of the converters' planners. */
  public static final String PLANNERS = "lamina.planners";

  /** The consumer group of the publishers. */
  public static final String PUBLISHERS = "lamina.publishers";

  private static final Duration TIMEOUT = Duration.ofSeconds(30);
  private static final Duration POLL = Duration.ofMillis(20);

  private final KafkaClients clients;
  private final TopicSettings settings;

  public Topics(KafkaSettings kafka, TopicSettings settings) {
    this.clients = new KafkaClients(kafka);
    this.settings = settings;
  }

  /** As {@link #ensure(String)}, for the share group {@link #CONVERTERS}. */
  public void ensure() {
    ensure(CONVERTERS);
  }

  /**
   * Creates missing topics, checks those that are there, and configures the share group.
   *
   * @throws MessagingException.Rejected if a topic that is there does not fit; the message says how
   * @throws MessagingException.Retryable if the brokers did not answer in time
   */
  public void ensure(String shareGroup) {
    try (Admin admin = clients.admin()) {
      create(admin);
      awaitApplied("the new topics", () -> isThere(() -> check(admin)));
      configure(admin, shareGroup);
    }
  }

  /** The broker that answers may not have heard of a topic that another one has created. */
  private static boolean isThere(Runnable check) {
    try {
      check.run();
      return true;
    } catch (MessagingException.Retryable e) {
      if (e.getCause() instanceof UnknownTopicOrPartitionException) {
        return false;
      }
      throw e;
    }
  }

  private void create(Admin admin) {
    List<NewTopic> wanted = new ArrayList<>();
    for (Topic topic : Topic.values()) {
      wanted.add(
          new NewTopic(topic.topicName(), settings.partitionsOf(topic), settings.replication())
              .configs(settings.configOf(topic)));
    }
    admin
        .createTopics(wanted)
        .values()
        .forEach(
            (name, future) -> {
              try {
                await("create topic " + name, future);
              } catch (MessagingException e) {
                if (!(e.getCause() instanceof TopicExistsException)) {
                  throw e;
                }
              }
            });
  }

  private void check(Admin admin) {
    Map<String, TopicDescription> found =
        await(
            "describe the topics",
            admin
                .describeTopics(Arrays.stream(Topic.values()).map(Topic::topicName).toList())
                .allTopicNames());
    int repository = partitions(found, Topic.REPOSITORY);
    int pending = partitions(found, Topic.PENDING);
    if (repository != pending) {
      throw new MessagingException.Rejected(
          "topics "
              + Topic.REPOSITORY.topicName()
              + " and "
              + Topic.PENDING.topicName()
              + " must have the same number of partitions, but have "
              + repository
              + " and "
              + pending);
    }
    for (Topic topic : List.of(Topic.PENDING, Topic.STATUS, Topic.PUBLISHED)) {
      checkKept(admin, topic);
    }
  }

  private static int partitions(Map<String, TopicDescription> found, Topic topic) {
    return requireNonNull(found.get(topic.topicName())).partitions().size();
  }

  private static void checkKept(Admin admin, Topic topic) {
    ConfigResource resource = new ConfigResource(ConfigResource.Type.TOPIC, topic.topicName());
    Config config =
        requireNonNull(
            await(
                    "read the configuration of " + topic.topicName(),
                    admin.describeConfigs(List.of(resource)).all())
                .get(resource));
    String policy = config.get("cleanup.policy").value();
    String retention = config.get("retention.ms").value();
    if (topic == Topic.PUBLISHED
        ? !policy.equals("delete") || !retention.equals("-1")
        : !policy.equals("compact")) {
      throw new MessagingException.Rejected(
          "topic "
              + topic.topicName()
              + " has cleanup.policy="
              + policy
              + " and retention.ms="
              + retention
              + "; it needs "
              + (topic == Topic.PUBLISHED
                  ? "delete and -1: it is the journal that replay reads"
                  : "compact"));
    }
  }

  private void configure(Admin admin, String shareGroup) {
    ConfigResource group = new ConfigResource(ConfigResource.Type.GROUP, shareGroup);
    List<AlterConfigOp> changes =
        settings.groupConfig().entrySet().stream()
            .map(e -> new ConfigEntry(e.getKey(), e.getValue()))
            .map(e -> new AlterConfigOp(e, AlterConfigOp.OpType.SET))
            .toList();
    await(
        "configure share group " + shareGroup,
        admin.incrementalAlterConfigs(Map.of(group, changes)).all());
    // A group that begins before begins at the end of the topic, and what was queued before would
    // wait for nobody.
    awaitApplied("the settings of share group " + shareGroup, () -> shows(admin, group));
  }

  /** The brokers apply a change after they have accepted it. */
  private static void awaitApplied(String what, BooleanSupplier applied) {
    long deadline = System.nanoTime() + TIMEOUT.toNanos();
    while (!applied.getAsBoolean()) {
      if (System.nanoTime() > deadline) {
        throw new MessagingException.Retryable(
            "the brokers did not apply " + what + " within " + TIMEOUT.toSeconds() + " s", null);
      }
      LockSupport.parkNanos(POLL.toNanos());
    }
  }

  private boolean shows(Admin admin, ConfigResource group) {
    Config config =
        requireNonNull(
            await(
                    "read the settings of share group " + group.name(),
                    admin.describeConfigs(List.of(group)).all())
                .get(group));
    return settings.groupConfig().entrySet().stream()
        .allMatch(
            wanted -> {
              ConfigEntry found = config.get(wanted.getKey());
              return found != null && wanted.getValue().equals(found.value());
            });
  }

  private static <T> T await(String what, KafkaFuture<T> future) {
    return KafkaFailures.await(what, future, TIMEOUT);
  }
}
