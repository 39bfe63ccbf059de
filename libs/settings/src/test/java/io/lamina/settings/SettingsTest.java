package io.lamina.settings;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SettingsTest {
  @TempDir Path folder;

  @Test
  void takesTheEnvironmentBeforeTheFileBeforeTheDefault() throws IOException {
    Settings settings =
        read(
            "kafka.bootstrap = a:1\nhttp.idle-timeout = 5m\n",
            Map.of("LAMINA_KAFKA_BOOTSTRAP", "b:2"));

    assertThat(settings.required("kafka.bootstrap", "the brokers")).isEqualTo("b:2");
    assertThat(
            settings.duration(
                "http.idle-timeout", Duration.ofSeconds(1), Duration.ZERO, Duration.ofHours(1)))
        .isEqualTo(Duration.ofMinutes(5));
    assertThat(settings.bytes("http.max-body", 7, 0, 1 << 20)).isEqualTo(7);
    settings.refuseOthers();
  }

  @Test
  void passesGroupsOn() {
    Settings settings =
        Settings.of("test", Map.of("kafka.client.security.protocol", "SSL", "other", "1"));

    assertThat(settings.group("kafka.client."))
        .containsExactly(Map.entry("security.protocol", "SSL"));
  }

  @Test
  void namesTheClosestKeyForAnUnknownOne() throws IOException {
    Settings settings = read("http.idel-timeout = 5m\n", Map.of());
    settings.text("http.idle-timeout");

    assertThatThrownBy(settings::refuseOthers)
        .isInstanceOf(SettingsException.class)
        .hasMessageContaining("unknown key 'http.idel-timeout'; did you mean 'http.idle-timeout'?");
  }

  @Test
  void saysWhichRequiredKeyIsMissingAndWhatItMeans() {
    Settings settings = Settings.of("test", Map.of());

    assertThatThrownBy(() -> settings.required("kafka.bootstrap", "the brokers"))
        .hasMessage("test: the key 'kafka.bootstrap' is missing: the brokers");
  }

  @Test
  void refusesValuesWithoutUnitOrOutOfRange() {
    Settings settings = Settings.of("test", Map.of("size", "65536", "count", "0", "flag", "yes"));

    assertThatThrownBy(() -> settings.bytes("size", 1, 0, 1 << 20))
        .hasMessageContaining("'size' is '65536'; it must be a size such as 64KiB");
    assertThatThrownBy(() -> settings.count("count", 1, 1, 9))
        .hasMessageContaining("it must be a number from 1 to 9");
    assertThatThrownBy(() -> settings.flag("flag", true)).hasMessageContaining("true or false");
  }

  private Settings read(String text, Map<String, String> environment) throws IOException {
    return Settings.read(Files.writeString(folder.resolve("lamina.properties"), text), environment);
  }
}
