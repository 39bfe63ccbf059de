package io.lamina.messaging;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.Duration;
import java.util.Map;
import org.junit.jupiter.api.Test;

class KafkaSettingsTest {
  @Test
  void neverShowsTheValuesOfClientProperties() {
    KafkaSettings settings =
        new KafkaSettings("h:1", "gateway", Map.of("sasl.jaas.config", "password=topsecret"));

    assertThat(settings).hasToString("KafkaSettings[h:1, gateway, properties [sasl.jaas.config]]");
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
