package io.lamina.converter;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.lamina.image.ImageException;
import io.lamina.image.ImageReference;
import io.lamina.settings.Settings;
import io.lamina.settings.SettingsException;
import java.time.Duration;
import java.util.Map;
import org.junit.jupiter.api.Test;

class ConverterSettingsTest {
  @Test
  void hasADefaultForEachKey() {
    assertThat(ConverterSettings.from(Settings.of("none", Map.of())))
        .isEqualTo(ConverterSettings.DEFAULT);
  }

  @Test
  void readsItsKeysAndKnowsNoOther() {
    Settings text =
        Settings.of(
            "test",
            Map.of(
                "converter.instance", "conv-1",
                "converter.plan.deadline", "30s",
                "converter.plan.cache-size", "1MiB",
                "converter.work.slots", "7",
                "converter.work.pause", "5m",
                "converter.work.deliveries", "3",
                "converter.compression", "jdk-7",
                "converter.threads", "3",
                "converter.layer.entries", "99"));

    ConverterSettings settings = ConverterSettings.from(text);
    text.refuseOthers();

    assertThat(settings.instance()).contains("conv-1");
    assertThat(settings.planner().deadline()).isEqualTo(Duration.ofSeconds(30));
    assertThat(settings.planner().cacheBytes()).isEqualTo(1 << 20);
    assertThat(settings.work().slots()).isEqualTo(7);
    assertThat(settings.work().retries().first()).isEqualTo(Duration.ofMinutes(5));
    assertThat(settings.work().retries().longest()).isEqualTo(Duration.ofMinutes(5));
    assertThat(settings.deliveries()).isEqualTo(3);
    assertThat(settings.pipeline().compression()).hasToString("jdk-7");
    assertThat(settings.pipeline().threads()).isEqualTo(3);
    assertThat(settings.limits().maxEntries()).isEqualTo(99);
  }

  @Test
  void pushesThinImagesNowhereUnlessItIsToldTo() {
    ImageReference.Registry place =
        (ImageReference.Registry) ImageReference.parse("registry.example.org/thin/app:1");
    ConverterSettings silent = ConverterSettings.from(Settings.of("none", Map.of()));
    ConverterSettings told =
        ConverterSettings.from(
            Settings.of(
                "test",
                Map.of(
                    "thin.allow", "registry.example.org/thin/*",
                    "images.deny", "quay.io",
                    "converter.image.layers", "7",
                    "converter.image.size", "1GiB",
                    "converter.image.entries", "8")));

    assertThatThrownBy(() -> silent.admission().policy().checkThinTarget(place))
        .isInstanceOf(ImageException.Rejected.class);
    told.admission().policy().checkThinTarget(place);
    assertThat(told.admission().policy().denied()).hasToString("[quay.io]");
    assertThat(told.admission().maxLayers()).isEqualTo(7);
    assertThat(told.admission().maxBytes()).isEqualTo(1L << 30);
    assertThat(told.admission().maxEntries()).isEqualTo(8);
    assertThatThrownBy(
            () -> ConverterSettings.from(Settings.of("test", Map.of("thin.allow", "https://x"))))
        .isInstanceOf(SettingsException.class)
        .hasMessageContaining("thin.allow");
  }

  @Test
  void saysWhichCompressionsThereAre() {
    assertThatThrownBy(
            () ->
                ConverterSettings.from(
                    Settings.of("test", Map.of("converter.compression", "brotli"))))
        .isInstanceOf(SettingsException.class)
        .hasMessageContaining("converter.compression")
        .hasMessageContaining("libdeflate-1..12");
  }

  @Test
  void refusesMoreDeliveriesThanTheBrokerGives() {
    assertThatThrownBy(
            () ->
                ConverterSettings.from(
                    Settings.of("test", Map.of("converter.work.deliveries", "10"))))
        .isInstanceOf(SettingsException.class)
        .hasMessageContaining("converter.work.deliveries");
  }
}
