package io.lamina.messaging;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.AlterConfigOp;
import org.apache.kafka.clients.admin.ConfigEntry;
import org.apache.kafka.clients.admin.NewPartitions;
import org.apache.kafka.clients.admin.TopicDescription;
import org.apache.kafka.common.config.ConfigResource;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

@SuppressWarnings("NullAway") // what is asked for by name is there, or the test fails
class TopicsIT {
  @RegisterExtension static final BrokerExtension BROKER = new BrokerExtension();

  private static Admin admin() {
    return new KafkaClients(BROKER.kafka("admin")).admin();
  }

  private static String config(Admin admin, ConfigResource resource, String name) throws Exception {
    return admin.describeConfigs(List.of(resource)).all().get().get(resource).get(name).value();
  }

  private static ConfigResource topic(Topic topic) {
    return new ConfigResource(ConfigResource.Type.TOPIC, topic.topicName());
  }

  @Test
  void makesEachTopicAsTheProtocolSays() throws Exception {
    try (Admin admin = admin()) {
      Map<String, TopicDescription> found =
          admin
              .describeTopics(Arrays.stream(Topic.values()).map(Topic::topicName).toList())
              .allTopicNames()
              .get();

      assertThat(found.get("lamina.layers").partitions()).hasSize(1);
      assertThat(found.get("lamina.pending").partitions())
          .hasSameSizeAs(found.get("lamina.repository").partitions())
          .hasSize(BrokerExtension.PARTITIONS);
      assertThat(config(admin, topic(Topic.PUBLISHED), "retention.ms")).isEqualTo("-1");
      assertThat(config(admin, topic(Topic.PENDING), "cleanup.policy")).isEqualTo("compact");
      assertThat(config(admin, topic(Topic.STATUS), "cleanup.policy")).isEqualTo("compact");
      ConfigResource group = new ConfigResource(ConfigResource.Type.GROUP, Topics.CONVERTERS);
      assertThat(config(admin, group, "share.auto.offset.reset")).isEqualTo("earliest");
      assertThat(config(admin, group, "share.isolation.level")).isEqualTo("read_committed");
      assertThat(config(admin, group, "share.delivery.count.limit")).isEqualTo("10");
    }
  }

  @Test
  void changesNothingTheSecondTime() {
    BROKER.topics().ensure();
    BROKER.topics().ensure();
  }

  @Test
  void refusesNotesThatAreNotPartitionedAsTheirTopic() throws Exception {
    BrokerExtension other = new BrokerExtension();
    other.start();
    try (Admin admin = new KafkaClients(other.kafka("admin")).admin()) {
      admin.createPartitions(Map.of("lamina.repository", NewPartitions.increaseTo(5))).all().get();
      Waiting.until(
          "the broker to know",
          () ->
              admin
                      .describeTopics(List.of("lamina.repository"))
                      .allTopicNames()
                      .toCompletionStage()
                      .toCompletableFuture()
                      .join()
                      .get("lamina.repository")
                      .partitions()
                      .size()
                  == 5);

      assertThatThrownBy(() -> other.topics().ensure())
          .isInstanceOf(MessagingException.Rejected.class)
          .hasMessageContaining("lamina.repository")
          .hasMessageContaining("lamina.pending")
          .hasMessageContaining("5 and 3");
    } finally {
      other.stop();
    }
  }

  @Test
  void refusesAJournalThatForgets() throws Exception {
    try (Admin admin = admin()) {
      set(admin, "1000");
      try {
        assertThatThrownBy(() -> BROKER.topics().ensure())
            .isInstanceOf(MessagingException.Rejected.class)
            .hasMessageContaining("lamina.published")
            .hasMessageContaining("retention.ms=1000");
      } finally {
        set(admin, "-1");
      }
    }
  }

  private static void set(Admin admin, String retention) throws Exception {
    admin
        .incrementalAlterConfigs(
            Map.of(
                topic(Topic.PUBLISHED),
                List.of(
                    new AlterConfigOp(
                        new ConfigEntry("retention.ms", retention), AlterConfigOp.OpType.SET))))
        .all()
        .get();
  }
}
