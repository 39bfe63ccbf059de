package io.lamina.image.registry;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.lamina.image.ImageException;
import java.net.URI;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class OriginTest {
  private final HttpTransport transport =
      new HttpTransport(
          RegistrySettings.DEFAULT.withHost(
              "plain.test:5000",
              new HostSettings(
                  true,
                  HostSettings.DEFAULT.caFile(),
                  HostSettings.DEFAULT.mirrors(),
                  HostSettings.DEFAULT.credentialsFile())));

  @AfterEach
  void close() {
    transport.close();
  }

  @ParameterizedTest
  @ValueSource(strings = {"localhost", "127.0.0.1", "127.1.2.3", "[::1]", "[0:0:0:0:0:0:0:1]"})
  void knowsLoopbackHosts(String host) {
    assertThat(Origin.of(URI.create("http://" + host + ":5000/")).isLoopback()).isTrue();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"localhost.evil.test", "127.0.0.1.evil.test", "xlocalhost", "10.0.0.1", "[::2]"})
  void takesNoOtherHostForLoopback(String host) {
    assertThat(Origin.of(URI.create("http://" + host + "/")).isLoopback()).isFalse();
  }

  @Test
  void knowsImpliedPorts() {
    assertThat(Origin.of(URI.create("https://A.test/x")))
        .isEqualTo(Origin.of(URI.create("https://a.test:443/y")))
        .isNotEqualTo(Origin.of(URI.create("http://a.test:443/y")));
  }

  @ParameterizedTest
  @CsvSource({
    "https://a.test/v2/, https://cdn.test/x?y=1, https://cdn.test/x?y=1",
    "https://a.test/v2/x, ../y, https://a.test/y",
    "http://127.0.0.1:5000/v2/, http://localhost:6000/x, http://localhost:6000/x",
    "http://127.0.0.1:5000/v2/, https://cdn.test/x, https://cdn.test/x",
    "http://plain.test:5000/v2/, http://plain.test:5000/x, http://plain.test:5000/x",
    "https://a.test/v2/, http://a.test/x?s=1, https://a.test/x?s=1",
    "https://a.test:8443/v2/, http://a.test/x, https://a.test:8443/x",
  })
  void goesWhereItIsSafe(String from, String location, String target) {
    assertThat(transport.target(URI.create(from), location)).hasToString(target);
  }

  @ParameterizedTest
  @CsvSource({
    "https://a.test/v2/, http://b.test/x, without TLS",
    "https://a.test/v2/, http://plain.test:5000/x, without TLS",
    "https://a.test/v2/, http://127.0.0.1/x, without TLS",
    "https://a.test/v2/, https://127.0.0.1/x, loopback",
    "https://a.test/v2/, https://localhost:6443/x, loopback",
    "http://plain.test:5000/v2/, http://127.0.0.1:1/x, loopback",
    "http://127.0.0.1:5000/v2/, http://b.test/x, allow plain HTTP for b.test",
    "https://a.test/v2/, https://user:secret@b.test/x, cannot be followed",
    "https://a.test/v2/, file:///etc/passwd, cannot be followed",
    "https://a.test/v2/, gopher://b.test/x, cannot be followed",
    "https://a.test/v2/, 'https://b.test/ x', no URL",
    "https://a.test/v2/, 'https:///x', cannot be followed",
  })
  void goesNowhereElse(String from, String location, String reason) {
    assertThatThrownBy(() -> transport.target(URI.create(from), location))
        .isInstanceOf(ImageException.Rejected.class)
        .hasMessageContaining(reason);
  }

  @Test
  void usesProxiesAsTheEnvironmentSays() {
    ProxySettings settings =
        ProxySettings.fromEnvironment(
            Map.of(
                "https_proxy", "http://proxy.test:3128",
                "NO_PROXY", "direct.test,.inner.test, *.wild.test"));

    assertThat(proxyFor(settings, "https://quay.io/")).isEqualTo("HTTP @ proxy.test");
    for (String direct :
        new String[] {
          "http://quay.io/",
          "https://direct.test/",
          "https://x.direct.test/",
          "https://a.inner.test/",
          "https://b.wild.test/",
          "https://127.0.0.1/",
        }) {
      assertThat(proxyFor(settings, direct)).as(direct).isEqualTo("DIRECT");
    }
    assertThatThrownBy(
            () -> ProxySettings.fromEnvironment(Map.of("HTTP_PROXY", "http://u:secret@p:1")))
        .isInstanceOf(ImageException.Rejected.class)
        .hasMessageNotContaining("secret");
  }

  private static String proxyFor(ProxySettings settings, String url) {
    return settings
        .selector()
        .select(URI.create(url))
        .getFirst()
        .toString()
        .replaceAll("[/:].*", "");
  }
}
