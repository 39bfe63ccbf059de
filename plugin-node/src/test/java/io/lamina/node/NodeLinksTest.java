package io.lamina.node;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.lamina.settings.Settings;
import io.lamina.settings.SettingsException;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class NodeLinksTest {
  @TempDir Path folder;

  private static NodeLinks read(String... keys) {
    Map<String, String> all = new HashMap<>();
    for (int i = 0; i < keys.length; i += 2) {
      all.put(keys[i], keys[i + 1]);
    }
    Settings text = Settings.of("test", all);
    NodeLinks links = NodeLinks.from(text, "node", Duration.ofMinutes(10));
    text.refuseOthers();
    return links;
  }

  @Test
  void commitsOrdinaryLayersWithoutAGateway() {
    assertThat(read()).isEqualTo(NodeLinks.NONE);
    assertThat(read().commits().mode()).isEqualTo(NodeLinks.Mode.ORDINARY);
    assertThat(read("plugin.gateway", "http://g:1").commits().mode())
        .isEqualTo(NodeLinks.Mode.THIN);
    assertThat(read("plugin.gateway", "http://g:1", "plugin.commit", "ordinary").commits().mode())
        .isEqualTo(NodeLinks.Mode.ORDINARY);
    assertThatThrownBy(() -> read("plugin.commit", "thin"))
        .isInstanceOf(SettingsException.class)
        .hasMessageContaining("plugin.gateway");
  }

  @Test
  void passesSecuritySettingsToKafka() {
    NodeLinks links =
        read("plugin.kafka", "k1:9092,k2:9092", "plugin.kafka.client.security.protocol", "SSL");

    assertThat(links.kafka())
        .hasValueSatisfying(
            kafka -> {
              assertThat(kafka.bootstrapServers()).isEqualTo("k1:9092,k2:9092");
              assertThat(kafka.clientProperties())
                  .containsExactlyEntriesOf(Map.of("security.protocol", "SSL"));
            });
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"ftp://g", "g:8080", "http://user:secret@g", "http://g/?a=b", "http:// g"})
  void refusesWhatIsNoGateway(String address) {
    assertThatThrownBy(() -> read("plugin.gateway", address))
        .isInstanceOf(SettingsException.class)
        .hasMessageContaining("http[s]://HOST[:PORT]");
  }

  @Test
  void refusesADeadlineThatTheEngineWouldNotWaitFor() {
    assertThatThrownBy(() -> read("plugin.gateway", "http://g", "plugin.commit.deadline", "10m"))
        .isInstanceOf(SettingsException.class)
        .hasMessageContaining("plugin.deadline.other");
  }

  @Test
  void readsATokenFromItsFileOnly() throws IOException {
    Path file = Files.writeString(folder.resolve("token"), " t0ken\n");

    assertThat(
            read("plugin.gateway", "http://g", "plugin.gateway.token", file.toString()).gateway())
        .hasValueSatisfying(gateway -> assertThat(gateway.token()).contains("t0ken"));

    Files.writeString(file, "two\nlines\n");
    NodeLinks.Gateway gateway =
        read("plugin.gateway", "http://g", "plugin.gateway.token", file.toString())
            .gateway()
            .orElseThrow();
    assertThatThrownBy(gateway::token)
        .isInstanceOf(SettingsException.class)
        .hasMessageNotContaining("two");
  }

  private NodeLinks former(String json, String... more) throws IOException {
    Files.writeString(folder.resolve("config.json"), json);
    String[] keys = new String[more.length + 2];
    System.arraycopy(more, 0, keys, 2, more.length);
    keys[0] = "plugin.minio.config";
    keys[1] = folder.toString();
    return read(keys);
  }

  @ParameterizedTest
  @CsvSource({
    "http://g.example.org:8080/status/, http://g.example.org:8080",
    "https://g.example.org, https://g.example.org",
    "g.example.org:80/status, http://g.example.org:80"
  })
  void takesTheFormerPluginsGateway(String url, String gateway) throws IOException {
    NodeLinks links =
        former(
            "{\"AccessKey\":\"a\",\"AccessSecret\":\"s\",\"Host\":\"m:9000\",\"SSL\":false,"
                + "\"CvmfsRepo\":\"r.example.org\",\"PublishStatusURL\":\""
                + url
                + "\"}");

    assertThat(links.gateway())
        .contains(new NodeLinks.Gateway(URI.create(gateway), java.util.Optional.empty()));
    assertThat(links.commits().repository()).hasToString("Optional[r.example.org]");
    assertThat(links.commits().storage()).isEmpty();
    assertThat(links.commits().mode()).isEqualTo(NodeLinks.Mode.THIN);
  }

  @Test
  void sendsToTheFormerPluginsStoreWhereItHasABucket() throws IOException {
    NodeLinks links =
        former(
            "{\"AccessKey\":\"a\",\"AccessSecret\":\"s3cret\",\"Host\":\"m:9000\",\"SSL\":true,"
                + "\"Bucket\":\"repos\",\"Prefix\":\"@fqrn@\"}",
            "plugin.gateway",
            "http://g");

    assertThat(links.commits().storage()).contains("s3:https://m:9000/repos/@fqrn@");
    assertThat(links.toString()).doesNotContain("s3cret");
    Path file = links.commits().keys().orElseThrow().writeTo(folder);
    assertThat(file).hasContent("access-key=a\nsecret-key=s3cret");
    assertThat(Files.getPosixFilePermissions(file)).hasSize(2);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "[]",
        "{\"AccessSecret\": \"s3cret\", nonsense",
        "{\"Bucket\":\"b\",\"AccessKey\":\"a\",\"AccessSecret\":\"s3cret\"}",
        "{\"AccessSecret\":\"s3cret\",\"PublishStatusURL\":\"::\"}",
        "{\"AccessSecret\":\"s3cret\",\"CvmfsRepo\":7}"
      })
  void saysWhatIsWrongWithTheFormerFileAndNoSecret(String json) {
    assertThatThrownBy(() -> former(json))
        .isInstanceOf(SettingsException.class)
        .hasMessageContaining("config.json")
        .hasMessageNotContaining("s3cret");
  }

  @Test
  void readsNothingWhereThereIsNoFormerFile() {
    assertThat(read("plugin.minio.config", folder.toString())).isEqualTo(NodeLinks.NONE);
  }
}
