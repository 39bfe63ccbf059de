package io.lamina.messaging;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import org.apache.kafka.clients.consumer.CloseOptions;
import org.apache.kafka.common.config.types.Password;
import org.apache.kafka.common.metrics.KafkaMetric;
import org.apache.kafka.common.metrics.MetricsReporter;
import org.junit.jupiter.api.Test;

class KafkaSettingsTest {
  private static final CloseOptions NOW = CloseOptions.timeout(Duration.ZERO);

  @Test
  void neverShowsTheValuesOfClientProperties() {
    KafkaSettings settings =
        new KafkaSettings("h:1", "gateway", Map.of("sasl.jaas.config", "password=topsecret"));

    assertThat(settings).hasToString("KafkaSettings[h:1, gateway, properties [sasl.jaas.config]]");
  }

  /** What each client was made with, as Kafka hands it to a plug-in. */
  public static final class ConfigWitness implements MetricsReporter {
    static final Map<String, Map<String, Object>> SEEN = new ConcurrentHashMap<>();

    @Override
    public void configure(Map<String, ?> config) {
      SEEN.put(String.valueOf(config.get("client.id")), new HashMap<>(config));
    }

    @Override
    public void init(List<KafkaMetric> metrics) {}

    @Override
    public void metricChange(KafkaMetric metric) {}

    @Override
    public void metricRemoval(KafkaMetric metric) {}

    @Override
    public void close() {}
  }

  /** No broker is needed: clients log in when they are made, and connect later. */
  @Test
  void givesEveryClientTheOperatorsSecurity() {
    Map<String, String> security =
        Map.of(
            "security.protocol",
            "SASL_SSL",
            "sasl.mechanism",
            "PLAIN",
            "sasl.jaas.config",
            "org.apache.kafka.common.security.plain.PlainLoginModule required username=\"u\""
                + " password=\"topsecret\";",
            "ssl.endpoint.identification.algorithm",
            "https");
    Map<String, String> properties = new HashMap<>(security);
    properties.put("metric.reporters", ConfigWitness.class.getName());
    KafkaClients clients = new KafkaClients(new KafkaSettings("127.0.0.1:1", "secure", properties));

    clients.admin().close(Duration.ZERO);
    clients.producer("p").close(Duration.ZERO);
    clients.transactionalProducer("t").close(Duration.ZERO);
    clients.groupConsumer("g", Optional.of("one"), 10).close(NOW);
    clients.plainConsumer("r", 10).close(NOW);
    clients.shareConsumer("s", 0).close(Duration.ZERO);

    Map<String, Map<String, Object>> seen = new HashMap<>(ConfigWitness.SEEN);
    seen.keySet().removeIf(client -> !client.startsWith("secure-"));
    assertThat(seen.keySet())
        .containsExactlyInAnyOrder(
            "secure-admin",
            "secure-producer-p",
            "secure-producer-t",
            "secure-consumer-g",
            "secure-reader-r",
            "secure-share-s-0");
    seen.forEach(
        (client, config) ->
            security.forEach(
                (key, value) -> {
                  Object given = config.get(key);
                  String text = given instanceof Password secret ? secret.value() : "" + given;
                  assertThat(text).as(client + " " + key).isEqualTo(value);
                }));
  }

  @Test
  void letsNoPropertyWeakenWhatCorrectnessNeeds() {
    Map<String, String> properties =
        Map.of(
            "acks", "0",
            "enable.idempotence", "false",
            "isolation.level", "read_uncommitted",
            "enable.auto.commit", "true",
            "bootstrap.servers", "elsewhere:1",
            "metric.reporters", ConfigWitness.class.getName());
    KafkaClients clients = new KafkaClients(new KafkaSettings("127.0.0.1:1", "strict", properties));

    clients.producer("p").close(Duration.ZERO);
    clients.plainConsumer("r", 10).close(NOW);

    assertThat(ConfigWitness.SEEN.get("strict-producer-p"))
        .containsEntry("acks", "all")
        .containsEntry("enable.idempotence", true)
        .containsEntry("bootstrap.servers", "127.0.0.1:1");
    assertThat(ConfigWitness.SEEN.get("strict-reader-r"))
        .containsEntry("isolation.level", "read_committed")
        .containsEntry("enable.auto.commit", false);
  }

  @Test
  void refusesWhatNoClientCouldUse() {
    assertThatThrownBy(() -> KafkaSettings.of(" ", "gateway"))
        .isInstanceOf(MessagingException.Rejected.class)
        .hasMessageContaining("bootstrap");
    assertThatThrownBy(() -> KafkaSettings.of("h:1", "a b"))
        .isInstanceOf(MessagingException.Rejected.class)
        .hasMessageContaining("'a b'");
    assertThatThrownBy(() -> new Retries(0, Duration.ZERO, Duration.ZERO))
        .isInstanceOf(MessagingException.Rejected.class);
    assertThatThrownBy(() -> TopicSettings.embedded().withPartitions(0))
        .isInstanceOf(MessagingException.Rejected.class)
        .hasMessageContaining("partitions");
    assertThatThrownBy(() -> QueueWorker.Settings.of("w", Topic.LAYERS, "g", 0))
        .isInstanceOf(MessagingException.Rejected.class)
        .hasMessageContaining("jobs at once");
  }
}
