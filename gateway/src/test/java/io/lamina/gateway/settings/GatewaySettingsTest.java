package io.lamina.gateway.settings;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.lamina.settings.Settings;
import io.lamina.settings.SettingsException;
import java.time.Duration;
import java.util.Map;
import org.junit.jupiter.api.Test;

class GatewaySettingsTest {
  @Test
  void hasADefaultForEveryKey() {
    GatewaySettings settings = from(Map.of());

    assertThat(settings.listen()).isEqualTo(new GatewaySettings.Listen("127.0.0.1", 8080));
    assertThat(settings.limits().bodyBytes()).isEqualTo(65536);
    assertThat(settings.timeouts().heartbeat()).isEqualTo(Duration.ofSeconds(15));
    assertThat(settings.localImages()).isFalse();
    assertThat(settings.tokensFile()).isEmpty();
  }

  @Test
  void refusesToBeOpenToTheNetworkWithoutTokens() {
    assertThatThrownBy(() -> from(Map.of("gateway.listen.host", "0.0.0.0")))
        .isInstanceOf(SettingsException.class)
        .hasMessageContaining("without tokens the gateway listens on loopback only");

    assertThat(from(Map.of("gateway.listen.host", "0.0.0.0", "gateway.tokens.file", "/t")).listen())
        .isEqualTo(new GatewaySettings.Listen("0.0.0.0", 8080));
    assertThat(from(Map.of("gateway.listen.host", "::1")).listen().host()).isEqualTo("::1");
  }

  @Test
  void refusesLocalImagesFromTheNetwork() {
    assertThatThrownBy(
            () ->
                from(
                    Map.of(
                        "gateway.listen.host",
                        "0.0.0.0",
                        "gateway.tokens.file",
                        "/t",
                        "gateway.images.local",
                        "true")))
        .isInstanceOf(SettingsException.class)
        .hasMessageContaining("gateway.images.local");
  }

  @Test
  void refusesHalfATlsSetting() {
    assertThatThrownBy(() -> from(Map.of("gateway.tls.key", "/k")))
        .isInstanceOf(SettingsException.class)
        .hasMessageContaining("must be set together");
  }

  private static GatewaySettings from(Map<String, String> values) {
    Settings settings = Settings.of("test", values);
    GatewaySettings gateway = GatewaySettings.from(settings);
    settings.refuseOthers();
    return gateway;
  }
}
