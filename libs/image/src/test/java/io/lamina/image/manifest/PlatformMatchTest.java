package io.lamina.image.manifest;

import static org.assertj.core.api.Assertions.assertThat;

import io.lamina.image.Platform;
import java.util.Arrays;
import java.util.Comparator;
import java.util.Optional;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class PlatformMatchTest {
  @ParameterizedTest
  @CsvSource({
    "linux/amd64,    linux/arm64 linux/amd64,                linux/amd64",
    "linux/amd64,    linux/amd64/v3 linux/amd64,             linux/amd64",
    "linux/amd64,    linux/amd64/v3 linux/amd64/v2,          linux/amd64/v2",
    "linux/amd64/v3, linux/amd64 linux/amd64/v2,             linux/amd64/v2",
    "linux/amd64/v3, linux/amd64/v4 linux/amd64,             linux/amd64",
    "linux/amd64/v2, linux/amd64/v3,                         none",
    "linux/arm,      linux/arm/v5 linux/arm/v7 linux/arm/v6, linux/arm/v7",
    "linux/arm/v6,   linux/arm/v7 linux/arm/v5,              linux/arm/v5",
    "linux/arm/v6,   linux/arm/v7,                           none",
    "linux/armel,    linux/arm/v7 linux/arm/v6,              linux/arm/v6",
    "linux/arm64,    linux/arm/v7 linux/arm64/v8,            linux/arm64/v8",
    "linux/arm64/v8, linux/arm64,                            linux/arm64",
    "linux/arm64,    linux/arm/v7,                           none",
    "linux/aarch64,  linux/amd64 linux/arm64,                linux/arm64",
    "linux/x86_64,   linux/amd64,                            linux/amd64",
    "linux/amd64,    windows/amd64,                          none",
    "linux/ppc64le,  linux/ppc64le,                          linux/ppc64le",
    "linux/riscv64/rva23, linux/riscv64/rva20,               none",
    "linux/riscv64,  linux/riscv64/rva20,                    linux/riscv64/rva20",
    "linux/amd64,    linux/amd64/odd,                        linux/amd64/odd",
  })
  void choosesTheClosestThatRuns(String requested, String offered, String chosen) {
    Platform wanted = Platform.parse(requested);

    Optional<Platform> best =
        Arrays.stream(offered.split(" "))
            .map(Platform::parse)
            .filter(p -> PlatformMatch.distance(wanted, p).isPresent())
            .min(Comparator.comparingInt(p -> PlatformMatch.distance(wanted, p).getAsInt()));

    assertThat(best.map(Platform::toString).orElse("none")).isEqualTo(chosen);
  }
}
