package io.lamina.standalone;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.lamina.converter.ConverterSettings;
import io.lamina.image.policy.NamePattern;
import io.lamina.image.registry.Reach;
import io.lamina.image.source.LocalAccess;
import io.lamina.settings.Settings;
import io.lamina.settings.SettingsException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class EmbeddedSettingsTest {
  private static final Path DATA = Path.of("/srv/lamina");

  private static EmbeddedSettings of(Map<String, String> values) {
    return EmbeddedSettings.from(DATA, Settings.of("lamina.properties", values), Map.of());
  }

  @Test
  void isAsOnePersonOnOneMachineNeedsIt() {
    EmbeddedSettings settings = of(Map.of());

    assertThat(settings.gateway().listen().host()).isEqualTo("127.0.0.1");
    assertThat(settings.gateway().localImages()).isTrue();
    assertThat(settings.gateway().stratumFolder()).contains(DATA.resolve("cvmfs"));
    assertThat(settings.local()).isEqualTo(LocalAccess.EVERYWHERE);
    assertThat(settings.registries().reach()).isEqualTo(Reach.ANYWHERE);
    assertThat(settings.converter().admission().policy().thinTargets())
        .extracting(NamePattern::text)
        .contains("localhost:*")
        .doesNotContain("**");
    assertThat(settings.publisher().instance()).isEqualTo(settings.converter().instance());
    assertThat(settings.publisher().collections().every()).isEmpty();
  }

  @Test
  void takesTheSettingsOfTheSingleProcesses() {
    EmbeddedSettings settings =
        of(
            Map.of(
                "gateway.listen.host",
                "0.0.0.0",
                "gateway.tokens.file",
                "/etc/lamina/tokens",
                "images.deny",
                "docker.io",
                "images.folders",
                "/srv/images",
                "registries.reach",
                "public",
                "thin.allow",
                "registry.example.org/thin/*",
                "converter.image.layers",
                "100",
                "publisher.collect.every",
                "1d"));

    assertThat(settings.gateway().tokensFile()).contains(Path.of("/etc/lamina/tokens"));
    assertThat(settings.gateway().localImages()).as("nobody else's files").isFalse();
    assertThat(settings.gateway().images()).isEqualTo(settings.converter().admission().policy());
    assertThat(settings.gateway().images().thinTargets())
        .containsExactly(new NamePattern("registry.example.org/thin/*"));
    assertThat(settings.local().roots()).containsExactly(Path.of("/srv/images"));
    assertThat(settings.registries().reach().scope()).isEqualTo(Reach.Scope.PUBLIC);
    assertThat(settings.converter().admission().maxLayers()).isEqualTo(100);
    assertThat(settings.publisher().collections().every()).contains(Duration.ofDays(1));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          gateway.listen.prot    | 1              | gateway.listen.port
          kafka.bootstrap        | localhost:9092 | unknown key 'kafka.bootstrap'
          data.folder            | /srv/other     | unknown key 'data.folder'
          images.folders         | images         | not an absolute folder: images
          gateway.listen.host    | 0.0.0.0        | without tokens the gateway listens on loopback
          """)
  void refusesWhatItCannotUse(String key, String value, String reason) {
    assertThatThrownBy(() -> of(Map.of(key, value)))
        .isInstanceOf(SettingsException.class)
        .hasMessageContaining(reason);
  }

  @Test
  void keepsTheNameThatItsPartsHaveOverRestarts() {
    EmbeddedSettings settings = of(Map.of());

    assertThat(settings.withConverter(ConverterSettings.DEFAULT).converter().instance())
        .isEqualTo(settings.converter().instance())
        .isPresent();
  }
}
