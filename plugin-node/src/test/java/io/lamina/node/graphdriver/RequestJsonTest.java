package io.lamina.node.graphdriver;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class RequestJsonTest {
  private static Session session(String json) {
    return RequestJson.session(DriverCall.INIT, json.getBytes(StandardCharsets.UTF_8));
  }

  private static LayerRequest layer(String json) {
    return RequestJson.layer(DriverCall.CREATE_READ_WRITE, json.getBytes(StandardCharsets.UTF_8));
  }

  @Test
  void readsASessionWithoutAnything() {
    assertThat(session("{\"Home\":\"/h\",\"Opts\":null,\"UIDMaps\":null,\"GIDMaps\":null}"))
        .isEqualTo(new Session("/h", List.of(), List.of(), List.of()));
  }

  @Test
  void readsOptionsInTheirOrderAndRangesOfIds() {
    assertThat(
            session(
                """
                {"Home":"/r/100000.200000/n","Opts":["b=2","a=1"],
                 "UIDMaps":[{"container_id":0,"host_id":100000,"size":65536}],
                 "GIDMaps":[{"container_id":0,"host_id":200000,"size":65536}]}"""))
        .isEqualTo(
            new Session(
                "/r/100000.200000/n",
                List.of("b=2", "a=1"),
                List.of(new IdRange(0, 100_000, 65_536)),
                List.of(new IdRange(0, 200_000, 65_536))));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "{\"Opts\":[]}",
        "{\"Home\":\"relative/path\"}",
        "{\"Home\":\"/a\\u0000b\"}",
        "{\"Home\":\"/h\",\"Opts\":[1]}",
        "{\"Home\":\"/h\",\"Opts\":{}}",
        "{\"Home\":\"/h\",\"UIDMaps\":[{\"ContainerID\":0,\"HostID\":1,\"Size\":1}]}",
        "{\"Home\":\"/h\",\"UIDMaps\":[{\"container_id\":0,\"host_id\":1,\"size\":0}]}",
        "{\"Home\":\"/h\",\"UIDMaps\":[{\"container_id\":0,\"host_id\":1,\"size\":99999999999}]}"
      })
  void refusesASessionThatNoEngineSends(String json) {
    assertThatThrownBy(() -> session(json)).isInstanceOf(DriverException.Malformed.class);
  }

  @Test
  void refusesRangesOfIdsWhoseEndOverflows() {
    for (String range :
        new String[] {
          "\"container_id\":9223372036854775807,\"host_id\":0,\"size\":9223372036854775807",
          "\"container_id\":0,\"host_id\":9223372036854775807,\"size\":2",
          "\"container_id\":4294967294,\"host_id\":0,\"size\":2",
        }) {
      assertThatThrownBy(() -> session("{\"Home\":\"/h\",\"UIDMaps\":[{" + range + "}]}"))
          .as(range)
          .isInstanceOf(DriverException.Malformed.class)
          .hasMessageContaining("32-bit ids");
    }
  }

  @Test
  void takesAnEmptyTextForNone() {
    assertThat(layer("{\"ID\":\"a\",\"Parent\":\"\",\"MountLabel\":\"\",\"Unknown\":{}}"))
        .isEqualTo(new LayerRequest("a", null, null, Map.of()));
  }

  @Test
  void readsStorageOptions() {
    assertThat(layer("{\"ID\":\"a\",\"Parent\":\"b\",\"StorageOpt\":{\"size\":\"1G\"}}"))
        .isEqualTo(new LayerRequest("a", "b", null, Map.of("size", "1G")));
  }
}
