package io.lamina.layers;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class LayerValuesTest {
  @ParameterizedTest
  @ValueSource(
      strings = {
        "empty",
        "Base",
        "a",
        "pjpf9kxhdf4bjhh9relcgl2t7",
        "0123456789abcdef-init",
        "a.b_c-d"
      })
  void takesEveryIdOfAnEngine(String id) {
    assertThat(new LayerId(id)).hasToString(id);
  }

  @ParameterizedTest
  @ValueSource(strings = {"", ".", "..", "../x", "a/b", "-a", "_a", ".a", "a b", "a\0", "a\n", "ä"})
  void refusesIdsThatAreNoNames(String id) {
    assertThatThrownBy(() -> new LayerId(id))
        .isInstanceOf(LayersException.Rejected.class)
        .hasMessageContaining("not a layer's id");
  }

  @Test
  void boundsIds() {
    assertThat(new LayerId("a".repeat(128)).text()).hasSize(128);
    assertThatThrownBy(() -> new LayerId("a".repeat(100_000)))
        .satisfies(e -> assertThat(e.getMessage()).hasSizeLessThan(400));
  }

  @ParameterizedTest
  @CsvSource({
    "1,1",
    "512M,536870912",
    "1G,1073741824",
    "1.5g,1610612736",
    "10 KiB,10240",
    "2tb,2199023255552"
  })
  void readsSizes(String text, long bytes) {
    assertThat(LayerOptions.parse(Map.of("size", text)).sizeBytes()).isEqualTo(bytes);
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "0", "-1", "x", "1X", "1G1", "999999999999999P", "1e9", "0.0M"})
  void refusesSizesThatAreNone(String text) {
    assertThatThrownBy(() -> LayerOptions.parse(Map.of("size", text)))
        .isInstanceOf(LayersException.Rejected.class)
        .hasMessageContaining("size");
  }

  @Test
  void refusesOptionsThatItDoesNotKnow() {
    assertThat(LayerOptions.parse(Map.of())).isEqualTo(LayerOptions.NONE);
    assertThatThrownBy(() -> LayerOptions.parse(Map.of("colour", "blue")))
        .isInstanceOf(LayersException.Rejected.class)
        .hasMessageContaining("'colour'; only 'size' is known");
  }

  @ParameterizedTest
  @ValueSource(strings = {"a\"b", "x\\", "a b", "a\n", "ctx,lowerdir=/", "a=b"})
  void refusesLabelsThatCouldBeOtherMountOptions(String label) {
    assertThatThrownBy(() -> new MountLabel(label)).isInstanceOf(LayersException.Rejected.class);
  }

  @Test
  void takesLabelsOfSelinux() {
    assertThat(new MountLabel("system_u:object_r:container_file_t:s0:c1,c2").isNone()).isFalse();
  }

  @Test
  void mapsIdsBothWays() {
    IdMaps ids =
        new IdMaps(
            List.of(new IdMaps.Range(0, 100_000, 1000), new IdMaps.Range(1000, 7, 1)),
            List.of(new IdMaps.Range(0, 200_000, 65_536)));

    assertThat(ids.userOnHost(0)).isEqualTo(100_000);
    assertThat(ids.userOnHost(1000)).isEqualTo(7);
    assertThat(ids.userInContainer(100_999)).isEqualTo(999);
    assertThat(ids.groupInContainer(200_001)).isEqualTo(1);
    assertThatThrownBy(() -> ids.userOnHost(1001))
        .isInstanceOf(LayersException.Rejected.class)
        .hasMessage("uid 1001 of the container is not mapped");
    assertThatThrownBy(() -> ids.groupInContainer(5)).hasMessage("gid 5 of the host is not mapped");
    assertThat(IdMaps.NONE.userOnHost(4_000_000_000L)).isEqualTo((int) 4_000_000_000L);
  }

  @Test
  void refusesRangesThatAreNone() {
    assertThatThrownBy(() -> new IdMaps.Range(-1, 0, 1)).isInstanceOf(LayersException.class);
    assertThatThrownBy(() -> new IdMaps.Range(0, 0, 0)).isInstanceOf(LayersException.class);
    assertThatThrownBy(() -> new IdMaps.Range(1L << 31, 0, Long.MAX_VALUE))
        .isInstanceOf(LayersException.class);
    assertThatThrownBy(() -> new IdMaps(List.of(new IdMaps.Range(0, 1, 1)), List.of()))
        .hasMessageContaining("both be mapped");
  }

  @Test
  void takesOnlyAbsoluteFolders() {
    assertThatThrownBy(() -> StorageSettings.of(Path.of("a"), Path.of("/b")))
        .isInstanceOf(LayersException.Rejected.class);
  }
}
