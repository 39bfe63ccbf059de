package io.lamina.image.internal;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class StrictJsonTest {
  @ParameterizedTest
  @ValueSource(
      strings = {"1e9999999999", "20e9495169838", "1e-9999999999", "-1.5E99999999999999999"})
  void refusesNumbersBeyondAllUse(String number) {
    assertThatThrownBy(() -> StrictJson.parseObject(utf8("{\"size\":" + number + "}")))
        .isInstanceOf(IOException.class)
        .hasMessageContaining("number");
  }

  @Test
  void keepsLargeNumbersAsTheyAre() throws IOException {
    assertThat(StrictJson.parseObject(utf8("{\"a\":1e400}")).path("a").canConvertToLong())
        .isFalse();
    assertThat(StrictJson.parseObject(utf8("{\"a\":12.50}")).path("a").decimalValue())
        .isEqualByComparingTo("12.5");
  }

  private static byte[] utf8(String text) {
    return text.getBytes(StandardCharsets.UTF_8);
  }
}
