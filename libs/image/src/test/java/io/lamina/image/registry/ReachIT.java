package io.lamina.image.registry;

import static io.lamina.image.registry.FaultServer.answer;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.lamina.image.ImageException;
import io.lamina.image.ImageReference;
import java.io.IOException;
import java.net.InetAddress;
import java.net.URI;
import java.net.UnknownHostException;
import java.net.http.HttpRequest;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** No request leaves for an address that a process must not ask, whoever names it. */
class ReachIT {
  private static final String BLOB = "/v2/team/app/manifests/v1";

  private FaultServer server;
  private Registries registries;

  @BeforeEach
  void start() {
    server = new FaultServer();
    registries = new Registries(RegistrySettings.DEFAULT.withReach(Reach.SITE));
  }

  @AfterEach
  void stop() {
    registries.close();
    server.close();
  }

  @Test
  void asksNoRegistryOnThisMachine() {
    assertThatThrownBy(() -> manifest(registries, server.host()))
        .isInstanceOf(ImageException.Rejected.class)
        .hasMessageContaining(server.host() + " leads to a loopback, link-local, metadata")
        .hasMessageContaining("registries.reach.also");
    assertThat(server.seen).isEmpty();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "169.254.169.254:80",
        "[::1]:5000",
        "[::ffff:7f00:1]:5000",
        "0.0.0.0:5000",
        "localhost:5000",
        "2130706433:5000",
        "[fe80::1]:5000",
        "100.100.100.200",
        "[64:ff9b::a9fe:a9fe]:80",
      })
  void asksNoSpecialAddressHoweverItIsWritten(String host) {
    assertThatThrownBy(() -> manifest(registries, host))
        .isInstanceOf(ImageException.Rejected.class)
        .hasMessageContaining("sends no requests");
  }

  /** Other programs read these as 127.0.0.1. */
  @ParameterizedTest
  @ValueSource(strings = {"127.1:5000", "0x7f.1:5000", "[::::]:1", "1.2.3.999:80"})
  void takesNoAddressInAnUnusualNotation(String host) {
    assertThatThrownBy(() -> ImageReference.parse(host + "/team/app:1"))
        .isInstanceOf(ImageException.Rejected.class)
        .hasMessageContaining("not a host name or address as URLs have them");
  }

  @Test
  void asksWhatTheOperatorNamed() {
    server.on(BLOB, answer(404, ""));
    Reach reach = new Reach(Reach.Scope.PUBLIC, Set.of(server.host()));
    try (Registries allowed = new Registries(RegistrySettings.DEFAULT.withReach(reach))) {
      assertThatThrownBy(() -> manifest(allowed, server.host()))
          .isInstanceOf(ImageException.NotFound.class);
    }
    assertThat(server.seen).hasSize(1);
  }

  @Test
  void followsARegistryThatMayBeAskedToNoOtherServiceOfThisMachine() {
    try (FaultServer inner = new FaultServer()) {
      server.on(BLOB, answer(307, "", "Location", "http://" + inner.host() + "/secret"));

      assertThatThrownBy(() -> manifestOfAllowed())
          .isInstanceOf(ImageException.Rejected.class)
          .hasMessageContaining(inner.host() + " leads to a loopback");
      assertThat(inner.seen).isEmpty();
    }
  }

  @Test
  void asksNoTokenServerOfThisMachine() {
    try (FaultServer inner = new FaultServer()) {
      server.on(
          BLOB,
          answer(
              401,
              "",
              "WWW-Authenticate",
              "Bearer realm=\"http://" + inner.host() + "/token\",service=\"x\""));

      assertThatThrownBy(() -> manifestOfAllowed())
          .isInstanceOf(ImageException.Rejected.class)
          .hasMessageContaining(inner.host() + " leads to a loopback");
      assertThat(inner.seen).isEmpty();
    }
  }

  @Test
  void uploadsToNoOtherServiceOfThisMachine() {
    byte[] bytes = {1};
    io.lamina.image.Descriptor blob =
        new io.lamina.image.Descriptor("x", io.lamina.image.Digest.sha256(bytes), 1);
    try (FaultServer inner = new FaultServer()) {
      server.on("/v2/team/app/blobs/" + blob.digest(), answer(404, ""));
      server.on(
          "/v2/team/app/blobs/uploads/",
          answer(202, "", "Location", "http://" + inner.host() + "/upload"));
      try (Registries allowed = allowed()) {
        assertThatThrownBy(
                () ->
                    allowed
                        .client(reference(server.host()))
                        .pushBlob(
                            blob, () -> new java.io.ByteArrayInputStream(bytes), Optional.empty()))
            .isInstanceOf(ImageException.Rejected.class)
            .hasMessageContaining(inner.host() + " leads to a loopback");
      }
      assertThat(inner.seen).isEmpty();
    }
  }

  @Test
  void looksANameUpBeforeEachRequestAndNotOnlyOnce() throws Exception {
    AtomicInteger lookups = new AtomicInteger();
    HttpTransport.Names rebinding =
        host ->
            new InetAddress[] {
              lookups.getAndIncrement() == 0
                  ? InetAddress.ofLiteral("192.0.2.1")
                  : InetAddress.ofLiteral("127.0.0.1")
            };
    try (HttpTransport transport =
        new HttpTransport(
            RegistrySettings.DEFAULT.withReach(Reach.SITE).withTimeouts(brief()), rebinding)) {
      RequestLimit limit = new RequestLimit("x", 1, Duration.ofSeconds(30));

      assertThatThrownBy(() -> transport.send(call("https://name.invalid/x"), limit))
          .isInstanceOf(IOException.class);
      assertThatThrownBy(() -> transport.send(call("https://name.invalid/x"), limit))
          .isInstanceOf(ImageException.Rejected.class)
          .hasMessageContaining("name.invalid leads to a loopback")
          .hasMessageNotContaining("127.0.0.1");
    }
  }

  @Test
  void refusesANameWithOneForbiddenAddressAmongOthers() throws Exception {
    HttpTransport.Names mixed =
        host ->
            new InetAddress[] {
              InetAddress.ofLiteral("192.0.2.1"), InetAddress.ofLiteral("169.254.169.254")
            };
    try (HttpTransport transport =
        new HttpTransport(RegistrySettings.DEFAULT.withReach(Reach.SITE), mixed)) {
      assertThatThrownBy(
              () ->
                  transport.send(
                      call("https://name.invalid/"),
                      new RequestLimit("x", 1, Duration.ofSeconds(30))))
          .isInstanceOf(ImageException.Rejected.class);
    }
  }

  @Test
  void asksPrivateNetworksOnlyWhereTheyAreInReach() {
    Reach open = new Reach(Reach.Scope.PUBLIC, Set.of());
    InetAddress inner = InetAddress.ofLiteral("10.0.0.1");

    Reach.SITE.check("a.test", inner);
    assertThatThrownBy(() -> open.check("a.test", inner))
        .isInstanceOf(ImageException.Rejected.class)
        .hasMessageContaining("a.test leads to an address of a private network")
        .hasMessageContaining("registries.reach is public");
  }

  @Test
  void leavesNamesToAProxyButNoAddresses() throws Exception {
    HttpTransport.Names none =
        host -> {
          throw new UnknownHostException("asked for " + host);
        };
    RegistrySettings proxied =
        new RegistrySettings(
            Map.of(),
            Optional.empty(),
            java.util.List.of(),
            ProxySettings.fromEnvironment(Map.of("https_proxy", "http://" + server.host())),
            1,
            brief(),
            RetryPolicy.DEFAULT,
            Reach.SITE);
    RequestLimit limit = new RequestLimit("x", 1, Duration.ofSeconds(30));
    try (HttpTransport transport = new HttpTransport(proxied, none)) {
      assertThatThrownBy(() -> transport.send(call("https://name.invalid/"), limit))
          .isInstanceOf(IOException.class)
          .hasMessageNotContaining("asked for");
      assertThatThrownBy(() -> transport.send(call("https://169.254.169.254/"), limit))
          .isInstanceOf(ImageException.Rejected.class);
    }
  }

  @Test
  void showsNoSecretOfACallOrAPlace() {
    HttpCall call =
        new HttpCall(
            "GET",
            URI.create("https://a.test/x?X-Amz-Signature=secret1"),
            Map.of(),
            Optional.of("Bearer secret2"),
            HttpRequest.BodyPublishers::noBody,
            Duration.ofSeconds(1));

    assertThat(call).hasToString("HttpCall[GET https://a.test:443/x]");
    try (HttpTransport transport = new HttpTransport(RegistrySettings.DEFAULT)) {
      for (String place :
          java.util.List.of(
              "https://user:secret1@b.test/x",
              "ftp://b.test/x?sig=secret1",
              "https://b.test/ x?sig=secret1")) {
        assertThatThrownBy(() -> transport.target(URI.create("https://a.test/"), place))
            .isInstanceOf(ImageException.Rejected.class)
            .hasMessageContaining("b.test/")
            .satisfies(
                failure ->
                    assertThat(org.assertj.core.util.Throwables.getStackTrace(failure))
                        .doesNotContain("secret1"));
      }
    }
  }

  private void manifestOfAllowed() {
    try (Registries allowed = allowed()) {
      manifest(allowed, server.host());
    }
  }

  private Registries allowed() {
    return new Registries(
        RegistrySettings.DEFAULT.withReach(new Reach(Reach.Scope.SITE, Set.of(server.host()))));
  }

  private static void manifest(Registries registries, String host) {
    registries.client(reference(host)).manifest("v1");
  }

  private static ImageReference.Registry reference(String host) {
    return new ImageReference.Registry(host, "team/app", Optional.of("v1"), Optional.empty());
  }

  private static HttpCall call(String url) {
    return new HttpCall(
        "GET",
        URI.create(url),
        Map.of(),
        Optional.empty(),
        HttpRequest.BodyPublishers::noBody,
        Duration.ofSeconds(5));
  }

  private static Timeouts brief() {
    return Timeouts.DEFAULT;
  }
}
