package io.lamina.node.graphdriver;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class EngineOptionsTest {
  @Test
  void hasNoBoundAndNoMethodUnlessItIsTold() {
    assertThat(EngineOptions.parse(List.of())).isEqualTo(new EngineOptions(0, Optional.empty()));
  }

  @ParameterizedTest
  @CsvSource({
    "overlay2.size=2G,INTERNAL",
    "size=2g,INTERNAL",
    "lamina.size=2048M,INTERNAL",
    "overlay2_cvmfs.size=2G,INTERNAL"
  })
  void knowsTheNamesOfTheBuiltInAndOfTheOldDriver(String size, EngineOptions.MountMethod method) {
    assertThat(
            EngineOptions.parse(
                List.of(size, "cvmfsMountMethod=internal", "overlay2.override_kernel_check=true")))
        .isEqualTo(new EngineOptions(2L << 30, Optional.of(method)));
  }

  @ParameterizedTest
  @ValueSource(strings = {"CVMFSMountMethod=External", "overlay2_cvmfs.cvmfsMountMethod=external"})
  void readsTheMountMethodInAnySpelling(String option) {
    assertThat(EngineOptions.parse(List.of(option)).mountMethod())
        .contains(EngineOptions.MountMethod.EXTERNAL);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "cvmfsMountMethod=cvmfs2",
        "size=much",
        "size",
        "=1",
        "overlay2.override_kernel_check=maybe",
        "overlay2.mountopt=nodev"
      })
  void refusesWhatItDoesNotKnow(String option) {
    assertThatThrownBy(() -> EngineOptions.parse(List.of(option)))
        .isInstanceOf(DriverException.Refused.class)
        .hasMessageContaining("storage option");
  }

  @Test
  void namesTheClosestOption() {
    assertThatThrownBy(() -> EngineOptions.parse(List.of("overlay2.sise=1G")))
        .hasMessageContaining("did you mean 'overlay2.size'?");
  }
}
