package io.lamina.standalone.command;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import picocli.CommandLine.TypeConversionException;

class ByteSizeTest {
  @ParameterizedTest
  @CsvSource({
    "17, 17",
    "500m, 500000000",
    "10g, 10000000000",
    "10GB, 10000000000",
    "1.5G, 1500000000",
    "64MiB, 67108864",
    "1t, 1000000000000"
  })
  void readsWhatPeopleType(String text, long bytes) {
    assertThat(new ByteSize().convert(text)).isEqualTo(bytes);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"", "g", "10x", "-5m", "10 g", "1e9", "0x10", "99999999999999g", "10gg", "1.g"})
  void refusesAnythingElse(String text) {
    assertThatThrownBy(() -> new ByteSize().convert(text))
        .isInstanceOf(TypeConversionException.class)
        .hasMessageContaining("'" + text + "'");
  }

  @ParameterizedTest
  @ValueSource(strings = {"999999999999t", "10000000t"})
  void refusesWhatNoMachineHolds(String text) {
    assertThatThrownBy(() -> new ByteSize().convert(text))
        .isInstanceOf(TypeConversionException.class)
        .hasMessageContaining("more than any machine holds");
  }
}
