package io.lamina.gateway.kafka;

import static org.assertj.core.api.Assertions.assertThat;

import io.lamina.messaging.KafkaSettings;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.common.metrics.KafkaMetric;
import org.apache.kafka.common.metrics.MetricsReporter;
import org.junit.jupiter.api.Test;

class TopicProbeTest {
  /** What the probe's client was made with, as Kafka hands it to a plug-in. */
  public static final class ConfigWitness implements MetricsReporter {
    static final CompletableFuture<Map<String, Object>> SEEN = new CompletableFuture<>();

    @Override
    public void configure(Map<String, ?> config) {
      SEEN.complete(new HashMap<>(config));
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

  @Test
  void asksWithTheOperatorsSecurity() throws Exception {
    String login =
        "org.apache.kafka.common.security.plain.PlainLoginModule required username=\"u\""
            + " password=\"topsecret\";";
    Map<String, String> properties =
        Map.of(
            "security.protocol",
            "SASL_SSL",
            "sasl.mechanism",
            "PLAIN",
            "sasl.jaas.config",
            login,
            "metric.reporters",
            ConfigWitness.class.getName());

    try (TopicProbe probe = new TopicProbe(new KafkaSettings("127.0.0.1:1", "gw", properties))) {
      probe.start(() -> {});

      Map<String, Object> seen = ConfigWitness.SEEN.get(60, TimeUnit.SECONDS);
      assertThat(seen)
          .containsEntry("security.protocol", "SASL_SSL")
          .containsEntry("sasl.mechanism", "PLAIN")
          .containsEntry("sasl.jaas.config", login)
          .containsEntry("bootstrap.servers", "127.0.0.1:1");
      assertThat(probe.check().toString()).doesNotContain("topsecret");
    }
  }
}
