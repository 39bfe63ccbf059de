package io.lamina.node;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.lamina.settings.Settings;
import io.lamina.settings.SettingsException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class NodeSettingsTest {
  private static NodeSettings read(String... keys) {
    Map<String, String> all = new HashMap<>();
    all.put("plugin.name", "lamina");
    all.put("plugin.state", "/var/lib/lamina");
    for (int i = 0; i < keys.length; i += 2) {
      all.put(keys[i], keys[i + 1]);
    }
    Settings text = Settings.of("test", all);
    NodeSettings settings = NodeSettings.from(text);
    text.refuseOthers();
    return settings;
  }

  @Test
  void putsTheSocketWhereTheEngineLooksForTheName() {
    NodeSettings settings = read();

    assertThat(settings.socket()).isEqualTo(Path.of("/run/docker/plugins/lamina.sock"));
    assertThat(settings.runtime()).isEqualTo(Path.of("/run/lamina/lamina"));
    assertThat(settings.repositories()).isEmpty();
  }

  @Test
  void readsRepositoriesWithSeveralServers() {
    NodeSettings settings =
        read(
            "plugin.repository.images.example.org",
            "http://a.example.org/cvmfs/@fqrn@,file:///srv/b,/etc/cvmfs/keys/images.pub");

    assertThat(settings.repositories())
        .singleElement()
        .satisfies(
            known -> {
              assertThat(known.name().value()).isEqualTo("images.example.org");
              assertThat(known.servers())
                  .isEqualTo(List.of("http://a.example.org/cvmfs/@fqrn@", "file:///srv/b"));
              assertThat(known.key()).isEqualTo(Path.of("/etc/cvmfs/keys/images.pub"));
            });
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "/only/a/key",
        "ftp://host/repo,/key",
        "http://host/$(reboot),/key",
        "http://host/a b,/key",
        "http://host/repo;CVMFS_X=1,/key",
        "http://host/repo,"
      })
  void refusesWhatIsNoServerAndKey(String value) {
    assertThatThrownBy(() -> read("plugin.repository.images.example.org", value))
        .isInstanceOf(SettingsException.class)
        .hasMessageContaining("images.example.org");
  }

  @ParameterizedTest
  @ValueSource(strings = {"../escape", "a/b", "", "-x"})
  void refusesANameThatIsNoFileName(String name) {
    assertThatThrownBy(() -> read("plugin.name", name)).isInstanceOf(SettingsException.class);
  }

  @Test
  void namesTheClosestKeyForAnUnknownOne() {
    assertThatThrownBy(() -> read("plugin.cleint", "embedded"))
        .isInstanceOf(SettingsException.class)
        .hasMessageContaining("did you mean 'plugin.client'?");
  }

  @Test
  void takesTheOriginalClientWhereItIsInstalled() {
    assertThat(read().chosenClient(program -> program.equals("cvmfs2")))
        .isEqualTo(NodeSettings.Client.CVMFS2);
    assertThat(read().chosenClient(_ -> false)).isEqualTo(NodeSettings.Client.EMBEDDED);
    assertThat(read("plugin.client", "external").chosenClient(_ -> true))
        .isEqualTo(NodeSettings.Client.EXTERNAL);
  }

  @Test
  void asksAllRepositoriesForLayersUnlessSomeAreNamed() {
    String[] keys = {
      "plugin.snapshotter.socket", "/run/s.sock",
      "plugin.repository.a.example.org", "http://host/a,/key",
      "plugin.repository.b.example.org", "http://host/b,/key"
    };
    assertThat(read(keys).snapshots().orElseThrow().repositories())
        .containsExactlyInAnyOrder("a.example.org", "b.example.org");
    String[] named = Arrays.copyOf(keys, keys.length + 2);
    named[keys.length] = "plugin.snapshotter.repositories";
    named[keys.length + 1] = "b.example.org, a.example.org";
    assertThat(read(named).snapshots().orElseThrow())
        .isEqualTo(
            new NodeSettings.Snapshots(
                Path.of("/run/s.sock"), List.of("b.example.org", "a.example.org"), true));
    assertThat(read().snapshots()).isEmpty();
    assertThat(read().docker()).isTrue();
  }

  @Test
  void refusesToServeNobody() {
    assertThatThrownBy(() -> read("plugin.docker", "false"))
        .isInstanceOf(SettingsException.class)
        .hasMessageContaining("plugin.snapshotter.socket");
    assertThat(read("plugin.docker", "false", "plugin.snapshotter.socket", "/s").docker())
        .isFalse();
  }

  @ParameterizedTest
  @ValueSource(strings = {"../etc", "a b", "a.example.org,", "$(reboot)"})
  void refusesNamesForSnapshotsThatAreNone(String names) {
    assertThatThrownBy(
            () -> read("plugin.snapshotter.socket", "/s", "plugin.snapshotter.repositories", names))
        .isInstanceOf(SettingsException.class);
  }
}
