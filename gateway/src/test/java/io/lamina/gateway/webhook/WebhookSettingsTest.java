package io.lamina.gateway.webhook;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.lamina.gateway.problem.GatewayException;
import io.lamina.settings.Settings;
import io.lamina.settings.SettingsException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class WebhookSettingsTest {
  private static final String GOOD = "gateway.webhook.ci.";

  @TempDir Path folder;

  @Test
  void needsLittleAndHasADefaultForTheRest() {
    WebhookSettings settings =
        from(
            Map.of(
                GOOD + "format", "github",
                GOOD + "secret-file", "/etc/lamina/ci",
                GOOD + "repository", "unpacked.example.org"));

    Webhook hook = settings.hooks().getFirst();
    assertThat(hook.name()).isEqualTo("ci");
    assertThat(hook.authentication()).isEqualTo(new Authentication.Signature());
    assertThat(hook.source().registry()).isEqualTo("ghcr.io");
    assertThat(hook.source().images()).extracting(Object::toString).containsExactly("ghcr.io");
    assertThat(hook.target().platforms()).isEmpty();
    assertThat(hook.target().tenant()).isEqualTo("webhook:ci");
    assertThat(hook.ages()).isEqualTo(new Webhook.Ages(Duration.ofDays(1), Duration.ofMinutes(15)));
    assertThat(settings.bodyBytes()).isEqualTo(256 << 10);
    assertThat(settings.maxEvents()).isEqualTo(100);
    assertThat(settings.maxDeliveries()).isEqualTo(32);
    assertThat(from(Map.of()).hooks()).isEmpty();
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '"',
      value = {
        "format | gitlb | 'gitlb' is no format of webhooks",
        "format | gitlab | GitLab's registry reports as CNCF's does: set it to 'distribution'",
        "format | harbour | did you mean 'harbor'?",
        "format | | the key 'gateway.webhook.ci.format' is missing",
        "secret-file | | the key 'gateway.webhook.ci.secret-file' is missing",
        "repository | | the key 'gateway.webhook.ci.repository' is missing",
        "repository | ../x | gateway.webhook.ci.repository",
        "registry | | the key 'gateway.webhook.ci.registry' is missing: HOST[:PORT]",
        "registry | https://registry.example.org | not a registry host",
        "registry | localonly | a registry host has a dot or a port",
        "registry-names | a b | 'gateway.webhook.ci.registry-names': not a registry host",
        "images | team/* | begins with 'team', but this webhook is about images of registry.exam",
        "images | a b | a pattern is HOST",
        "authentication | hmac | known are signature, header, query",
        "header | X Token | the name of an HTTP header",
        "platforms | linux | not a platform",
        "thin | thin.example.org/app:1 | needs {repository} and {tag}",
        "thin | thin.example.org/{repository}@{tag} | gateway.webhook.ci.thin",
        "thin | registry.example.org/{repository}:{tag} | another place than that of the images",
        "priority | urgent | known are interactive, bulk",
        "tenant | a tenant | 1 to 64 letters",
        "max-age | 5 | a time such as 30s",
        "secretfile | /x | unknown key 'gateway.webhook.ci.secretfile'; did you mean 'secret-file'?",
      })
  void saysWhichKeyIsWrongAndWhatItMayBe(String key, String value, String message) {
    Map<String, String> settings = good();
    if (value == null) {
      settings.remove(GOOD + key);
    } else {
      settings.put(GOOD + key, value);
    }

    assertThatThrownBy(() -> from(settings))
        .isInstanceOf(SettingsException.class)
        .hasMessageContaining(message);
  }

  @Test
  void knowsDockerHubByItsNames() {
    Map<String, String> settings = good();
    settings.put(GOOD + "registry", "Registry-1.docker.io");
    settings.put(GOOD + "images", "docker.io/team/*");

    assertThat(from(settings).hooks().getFirst().source().registry()).isEqualTo("docker.io");
  }

  @Test
  void wantsItSaidThatDockerHubsSecretIsInTheAddress() {
    Map<String, String> settings = good();
    settings.put(GOOD + "format", "docker-hub");

    assertThatThrownBy(() -> from(settings))
        .isInstanceOf(SettingsException.class)
        .hasMessageContaining("'gateway.webhook.ci.authentication' is missing")
        .hasMessageContaining("where proxies log it");

    settings.put(GOOD + "authentication", "query");
    assertThat(from(settings).hooks().getFirst().authentication())
        .isEqualTo(new Authentication.Query());
  }

  @Test
  void refusesAHeaderWhereTheSecretIsInNone() {
    Map<String, String> settings = good();
    settings.put(GOOD + "authentication", "signature");
    settings.put(GOOD + "header", "X-Token");

    assertThatThrownBy(() -> from(settings))
        .isInstanceOf(SettingsException.class)
        .hasMessageContaining("'gateway.webhook.ci.header'");
  }

  @ParameterizedTest
  @CsvSource({"Upper", "a_b", "''", "-a"})
  void namesWebhooksAsAddressesAre(String name) {
    assertThatThrownBy(() -> from(Map.of("gateway.webhook." + name + ".format", "quay")))
        .isInstanceOf(SettingsException.class)
        .hasMessageContaining("lower-case letters, digits and dashes");
  }

  // ---- secret files -------------------------------------------------------------------------

  @Test
  void readsASecretOrTwoWhileOneIsBeingReplaced() throws IOException {
    WebhookSecret one = WebhookSecret.read("ci", file("rw-------", "first of two secrets\n"));
    assertThat(one.is("first of two secrets")).isTrue();
    assertThat(one.is("first of two secrets\n")).isFalse();
    assertThat(one.is("")).isFalse();

    WebhookSecret both =
        WebhookSecret.read(
            "ci", file("r--r-----", "\nsecond of two secrets\nfirst of two secrets\n"));
    assertThat(both.is("first of two secrets")).isTrue();
    assertThat(both.is("second of two secrets")).isTrue();
    assertThat(both.is("third of two secrets")).isFalse();
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "rw-r--r-- | a secret that all may read | may be read by everybody on this host: chmod 600",
        "rw------- | short-secret | at least 16 characters",
        "rw------- | '' | one secret of at least 16",
      })
  void refusesASecretFileThatProtectsNothing(String mode, String content, String message)
      throws IOException {
    Path file = file(mode, content);

    assertThatThrownBy(() -> WebhookSecret.read("ci", file))
        .isInstanceOf(GatewayException.Fatal.class)
        .hasMessageContaining(message)
        .hasMessageContaining("'ci'")
        .hasMessageContaining(file.toString())
        .satisfies(
            e -> {
              if (!content.isEmpty()) {
                assertThat(e).hasMessageNotContaining(content);
              }
            });
  }

  @Test
  void refusesSecretFilesThatAreMissingOrTooLong() throws IOException {
    Path missing = folder.resolve("missing");
    Path tooLong = file("rw-------", "x".repeat(5000));
    Path three = folder.resolve("three");
    Files.writeString(three, "0123456789abcdef\n".repeat(3));
    Files.setPosixFilePermissions(three, PosixFilePermissions.fromString("rw-------"));

    assertThatThrownBy(() -> WebhookSecret.read("ci", missing))
        .isInstanceOf(GatewayException.Fatal.class)
        .hasMessage("there is no secret file " + missing + " of webhook 'ci'");
    for (Path file : List.of(tooLong, three)) {
      assertThatThrownBy(() -> WebhookSecret.read("ci", file))
          .isInstanceOf(GatewayException.Fatal.class);
    }
  }

  private Path file(String mode, String content) throws IOException {
    Path file = Files.createTempFile(folder, "secret", "");
    Files.writeString(file, content);
    Files.setPosixFilePermissions(file, PosixFilePermissions.fromString(mode));
    return file;
  }

  private static Map<String, String> good() {
    return new HashMap<>(
        Map.of(
            GOOD + "format", "distribution",
            GOOD + "registry", "registry.example.org",
            GOOD + "secret-file", "/etc/lamina/ci",
            GOOD + "repository", "unpacked.example.org"));
  }

  private static WebhookSettings from(Map<String, String> values) {
    return WebhookSettings.from(Settings.of("test", values));
  }
}
