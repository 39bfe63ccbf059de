package io.lamina.image.registry;

import static io.lamina.image.registry.FaultServer.answer;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.sun.net.httpserver.HttpExchange;
import io.lamina.image.ImageException;
import io.lamina.image.ImageReference;
import io.lamina.image.Platform;
import io.lamina.image.testing.ImageBuilder;
import io.lamina.image.testing.ReferenceRegistry;
import io.lamina.image.testing.TarBuilder.Compression;
import io.lamina.image.testing.TestImage;
import java.io.IOException;
import java.io.InputStream;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Who may do what: against the reference registry, and against servers that answer oddly. */
class RegistryAuthIT {
  private static final TestImage IMAGE =
      ImageBuilder.oci().layer(Compression.GZIP, tar -> tar.file("a", 0644, "a")).build();
  private static final String MANIFEST_PATH = "/v2/team/app/manifests/v1";
  private static final FaultServer.Handler MANIFEST =
      answer(200, IMAGE.manifestBytes(), "Content-Type", IMAGE.manifest().mediaType());

  @TempDir Path folder;
  private final FakeTiming time = new FakeTiming();
  private final List<AutoCloseable> opened = new ArrayList<>();

  @AfterEach
  void stop() throws Exception {
    for (AutoCloseable each : opened) {
      each.close();
    }
  }

  // ---- the reference registry
  // --------------------------------------------------------------------

  @Test
  void pullsAndPushesWithUserAndPassword() throws IOException {
    ReferenceRegistry.assumeInstalled();
    ReferenceRegistry registry = ReferenceRegistry.basicAuth(folder);
    opened.add(registry);
    registry.push("team/app", "v1", IMAGE, Map.of("Authorization", basic("alice", "open:sesame")));

    logIn(registry.host(), ReferenceRegistry.USER, ReferenceRegistry.PASSWORD);
    pullAndPush(registry.host());

    logIn(registry.host(), ReferenceRegistry.USER, "wrong");
    assertThatThrownBy(() -> client(registry.host()).manifest("v1"))
        .isInstanceOf(ImageException.NotFound.class)
        .hasMessageContaining("asked as alice");

    Files.writeString(config(), "{}");
    assertThatThrownBy(() -> client(registry.host()).manifest("v1"))
        .isInstanceOf(ImageException.NotFound.class)
        .hasMessageContaining("asked without credentials");
    assertThatThrownBy(
            () ->
                client(registry.host()).pushManifest("v2", IMAGE.manifest(), IMAGE.manifestBytes()))
        .isInstanceOf(ImageException.Rejected.class);
  }

  @Test
  void pullsAndPushesWithTokensThatTheRegistryChecks() throws Exception {
    ReferenceRegistry.assumeInstalled();
    TestCertificate certificate = TestCertificate.create(folder);
    FaultServer tokens = tokenServer(certificate, "alice", "open:sesame");
    ReferenceRegistry registry =
        ReferenceRegistry.start(
            folder,
            "",
            "auth:\n  token:\n    realm: "
                + tokens.url("/token")
                + "\n    service: test-registry\n    issuer: test-issuer\n    rootcertbundle: "
                + certificate.pem()
                + "\n");
    opened.add(registry);
    registry.push(
        "team/app",
        "v1",
        IMAGE,
        Map.of("Authorization", "Bearer " + certificate.token("repository:team/app:pull,push")));

    logIn(registry.host(), "alice", "open:sesame");
    pullAndPush(registry.host());

    assertThat(tokens.seen)
        .allMatch(s -> s.authorization().equals(basic("alice", "open:sesame")))
        .extracting(s -> query(s.path(), "scope"))
        .contains("repository:team/app:pull", "repository:team/app:pull,push");
    logIn(registry.host(), "alice", "wrong");
    assertThatThrownBy(() -> client(registry.host()).manifest("v1"))
        .isInstanceOf(ImageException.NotFound.class)
        .hasMessageContaining("token for repository:team/app:pull from 127.0.0.1: status 401");
  }

  private void pullAndPush(String host) throws IOException {
    Registries registries = registries(settings());
    RegistrySource source = new RegistrySource(reference(host), registries);
    var resolved = source.resolve(Platform.LINUX_AMD64);
    assertThat(resolved.manifestBytes()).isEqualTo(IMAGE.manifestBytes());
    try (InputStream in = source.openBlob(resolved.layers().getFirst().blob())) {
      assertThat(in.readAllBytes())
          .isEqualTo(IMAGE.blob(resolved.layers().getFirst().blob().digest()));
    }
    registries.client(reference(host)).pushManifest("v2", IMAGE.manifest(), IMAGE.manifestBytes());
    assertThat(registries.client(reference(host)).tags()).containsExactlyInAnyOrder("v1", "v2");
  }

  @Test
  void speaksTlsWithACertificateOfItsOwnAuthority() throws Exception {
    ReferenceRegistry.assumeInstalled();
    TestCertificate certificate = TestCertificate.create(folder);
    ReferenceRegistry registry =
        ReferenceRegistry.start(
            folder,
            "  tls:\n    certificate: "
                + certificate.pem()
                + "\n    key: "
                + certificate.key()
                + "\n",
            "");
    opened.add(registry);
    HostSettings trusting =
        new HostSettings(false, Optional.of(certificate.pem()), List.of(), Optional.empty());
    RegistryClient client =
        registries(RegistrySettings.DEFAULT.withHost(registry.host(), trusting))
            .client(reference(registry.host()));

    for (var blob : IMAGE.blobs().entrySet()) {
      client.pushBlob(
          new io.lamina.image.Descriptor("x", blob.getKey(), blob.getValue().length),
          () -> new java.io.ByteArrayInputStream(blob.getValue()),
          Optional.empty());
    }
    client.pushManifest("v1", IMAGE.manifest(), IMAGE.manifestBytes());
    assertThat(client.manifest("v1").bytes()).isEqualTo(IMAGE.manifestBytes());

    Path other = Files.createDirectory(folder.resolve("other"));
    HostSettings distrusting =
        new HostSettings(
            false, Optional.of(TestCertificate.create(other).pem()), List.of(), Optional.empty());
    assertThatThrownBy(
            () ->
                registries(RegistrySettings.DEFAULT.withHost(registry.host(), distrusting))
                    .client(reference(registry.host()))
                    .manifest("v1"))
        .isInstanceOf(ImageException.Rejected.class)
        .hasMessageContaining("set its CA file");
  }

  @Test
  void saysThatARegistryHasNoTls() {
    ReferenceRegistry.assumeInstalled();
    ReferenceRegistry plain = ReferenceRegistry.start(folder);
    opened.add(plain);
    HostSettings tls =
        new HostSettings(
            false, Optional.of(TestCertificate.create(folder).pem()), List.of(), Optional.empty());

    assertThatThrownBy(
            () ->
                registries(RegistrySettings.DEFAULT.withHost(plain.host(), tls))
                    .client(reference(plain.host()))
                    .manifest("v1"))
        .isInstanceOf(ImageException.Rejected.class)
        .hasMessageContaining("plain HTTP");
  }

  @Test
  void saysThatACaFileIsNone() throws IOException {
    Path none = Files.writeString(folder.resolve("ca.pem"), "nothing");
    HostSettings settings = new HostSettings(false, Optional.of(none), List.of(), Optional.empty());

    assertThatThrownBy(
            () ->
                registries(RegistrySettings.DEFAULT.withHost("127.0.0.1:1", settings))
                    .client(reference("127.0.0.1:1"))
                    .manifest("v1"))
        .isInstanceOf(ImageException.Rejected.class)
        .hasMessageContaining("CA file " + none);
  }

  // ---- challenges and tokens
  // ----------------------------------------------------------------------

  @ParameterizedTest
  @ValueSource(strings = {"token", "access_token"})
  void usesATokenUntilItIsOld(String field) {
    FaultServer server = server();
    int[] count = {0};
    server.on(
        "/token",
        exchange ->
            answer(200, "{\"" + field + "\":\"t" + ++count[0] + "\",\"expires_in\":300}")
                .handle(exchange));
    server.on(MANIFEST_PATH, bearer(server, "Bearer t", MANIFEST));
    RegistryClient client = client(server.host());

    client.manifest("v1");
    client.manifest("v1");
    assertThat(server.seenAt("/token")).hasSize(1);
    assertThat(server.seenAt(MANIFEST_PATH)).hasSize(3);

    time.advance(Duration.ofSeconds(271));
    client.manifest("v1");
    assertThat(server.seenAt("/token")).hasSize(2);
    assertThat(server.seen.getLast().authorization()).isEqualTo("Bearer t2");
  }

  @Test
  void asksOnceForATokenThatManyWantAtOnce() throws Exception {
    FaultServer server = server();
    server.on("/token", answer(200, "{\"token\":\"t1\",\"expires_in\":300}"));
    server.on(MANIFEST_PATH, bearer(server, "Bearer t1", MANIFEST));
    RegistryClient client = client(server.host());

    try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
      List<Future<?>> all = new ArrayList<>();
      for (int i = 0; i < 10; i++) {
        all.add(threads.submit(() -> client.manifest("v1")));
      }
      for (Future<?> each : all) {
        each.get();
      }
    }

    assertThat(server.seenAt("/token")).hasSize(1);
  }

  @Test
  void asksForANewTokenWhenTheRegistryNoLongerTakesTheOldOne() {
    FaultServer server = server();
    server.inTurn("/token", answer(200, "{\"token\":\"t1\"}"), answer(200, "{\"token\":\"t2\"}"));
    FaultServer.Handler second = bearer(server, "Bearer t2", MANIFEST);
    server.inTurn(
        MANIFEST_PATH,
        bearer(server, "Bearer t1", MANIFEST),
        bearer(server, "Bearer t1", MANIFEST),
        second);
    RegistryClient client = client(server.host());

    client.manifest("v1");
    client.manifest("v1");

    assertThat(server.seen.getLast().authorization()).isEqualTo("Bearer t2");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "Bearer realm=\"TOKEN\",service=\"s\"",
        "Basic realm=\"x\"",
        "Basic realm=\"x\", Bearer realm=\"TOKEN\"",
        "Negotiate",
        "",
      })
  void doesNotGoOnForEverWhenRefused(String challenge) throws IOException {
    FaultServer server = server();
    logIn(server.host(), "alice", "pw");
    server.on("/token", answer(200, "{\"token\":\"t\"}"));
    String header = challenge.replace("TOKEN", server.url("/token"));
    server.on(
        MANIFEST_PATH,
        header.isEmpty()
            ? answer(401, "{}")
            : answer(
                401,
                "{\"errors\":[{\"code\":\"UNAUTHORIZED\",\"message\":\"no\"}]}",
                "WWW-Authenticate",
                header));

    assertThatThrownBy(() -> client(server.host()).manifest("v1"))
        .isInstanceOf(ImageException.NotFound.class)
        .hasMessageContaining("status 401")
        .hasMessageContaining("or these credentials may not see it");
    assertThat(server.seenAt(MANIFEST_PATH)).hasSizeBetween(1, 2);
    assertThat(server.seenAt("/token")).hasSizeLessThan(2);
  }

  @Test
  void prefersTokensWhereverTheirChallengeStands() throws IOException {
    FaultServer server = server();
    logIn(server.host(), "alice", "pw");
    server.on("/token", answer(200, "{\"token\":\"t\"}"));
    server.on(
        MANIFEST_PATH,
        exchange -> {
          if ("Bearer t".equals(exchange.getRequestHeaders().getFirst("Authorization"))) {
            MANIFEST.handle(exchange);
          } else {
            answer(
                    401,
                    "",
                    "WWW-Authenticate",
                    "Basic realm=\"x\", Bearer scope=\"repository:team/app:pull,push\",realm=\""
                        + server.url("/token?keep=1")
                        + "\"")
                .handle(exchange);
          }
        });

    client(server.host()).manifest("v1");

    FaultServer.Seen token = server.seenAt("/token").getFirst();
    assertThat(token.authorization()).isEqualTo(basic("alice", "pw"));
    assertThat(token.path()).startsWith("/token?keep=1&");
    assertThat(token.path())
        .contains("scope=repository%3Ateam%2Fapp%3Apull&")
        .contains("scope=repository%3Ateam%2Fapp%3Apull%2Cpush")
        .contains("account=alice");
  }

  @Test
  void exchangesAnIdentityToken() throws IOException {
    FaultServer server = server();
    Files.writeString(
        config(), "{\"auths\":{\"" + server.host() + "\":{\"identitytoken\":\"id=&1\"}}}");
    server.on("/token", answer(200, "{\"access_token\":\"t\"}"));
    server.on(MANIFEST_PATH, bearer(server, "Bearer t", MANIFEST));

    client(server.host()).manifest("v1");

    FaultServer.Seen token = server.seenAt("/token").getFirst();
    assertThat(token.method()).isEqualTo("POST");
    assertThat(token.body())
        .contains("grant_type=refresh_token")
        .contains("refresh_token=id%3D%261")
        .contains("scope=repository%3Ateam%2Fapp%3Apull");
    assertThat(token.authorization()).isEmpty();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "{}",
        "{\"token\":\"\"}",
        "{\"token\":1}",
        "[]",
        "secret",
        "{\"token\":\"a\\nb: c\"}",
      })
  void refusesAnswersWithoutAToken(String body) {
    FaultServer server = server();
    server.on("/token", answer(200, body));
    server.on(MANIFEST_PATH, bearer(server, "Bearer t", MANIFEST));

    assertThatThrownBy(() -> client(server.host()).manifest("v1"))
        .isInstanceOf(ImageException.Rejected.class)
        .hasMessageContaining("token for repository:team/app:pull")
        .hasMessageNotContaining("secret");
  }

  @Test
  void asksNoTokenServerWithoutTls() {
    FaultServer server = server();
    server.on(
        MANIFEST_PATH,
        answer(401, "", "WWW-Authenticate", "Bearer realm=\"http://tokens.test/t\""));

    assertThatThrownBy(() -> client(server.host()).manifest("v1"))
        .isInstanceOf(ImageException.Rejected.class)
        .hasMessageContaining("allow plain HTTP for tokens.test");
  }

  @Test
  void triesATokenServerAgainThatIsBusy() {
    FaultServer server = server();
    server.inTurn("/token", answer(503, ""), answer(200, "{\"token\":\"t\"}"));
    server.on(MANIFEST_PATH, bearer(server, "Bearer t", MANIFEST));

    assertThat(client(server.host()).manifest("v1").digest()).isEqualTo(IMAGE.manifest().digest());
    assertThat(time.waits).hasSize(1);
  }

  @Test
  void refusesChallengesThatCannotBeRead() {
    FaultServer server = server();
    server.on(MANIFEST_PATH, answer(401, "", "WWW-Authenticate", "Bearer realm=\"x"));

    assertThatThrownBy(() -> client(server.host()).manifest("v1"))
        .isInstanceOf(ImageException.Rejected.class)
        .hasMessageContaining("a quoted value does not end");
  }

  // ---- help
  // ---------------------------------------------------------------------------------------

  /** Wants a token that begins so. */
  private static FaultServer.Handler bearer(
      FaultServer server, String prefix, FaultServer.Handler inner) {
    return exchange -> {
      String authorization = exchange.getRequestHeaders().getFirst("Authorization");
      if (authorization != null && authorization.startsWith(prefix)) {
        inner.handle(exchange);
      } else {
        answer(
                401,
                "",
                "WWW-Authenticate",
                "Bearer realm=\"" + server.url("/token") + "\",service=\"s\"")
            .handle(exchange);
      }
    };
  }

  private FaultServer tokenServer(TestCertificate certificate, String user, String password) {
    FaultServer server = server();
    server.on(
        "/token",
        exchange -> {
          boolean isKnown =
              basic(user, password).equals(exchange.getRequestHeaders().getFirst("Authorization"));
          if (isKnown) {
            answer(200, "{\"token\":\"" + certificate.token(scope(exchange)) + "\"}")
                .handle(exchange);
          } else {
            answer(401, "{}").handle(exchange);
          }
        });
    return server;
  }

  private static String scope(HttpExchange exchange) {
    return query(exchange.getRequestURI().toString(), "scope");
  }

  private static String query(String uri, String name) {
    for (String pair : uri.replaceAll("^[^?]*\\??", "").split("&")) {
      if (pair.startsWith(name + "=")) {
        return URLDecoder.decode(pair.substring(name.length() + 1), StandardCharsets.UTF_8);
      }
    }
    return "";
  }

  private static String basic(String user, String password) {
    return "Basic "
        + Base64.getEncoder()
            .encodeToString((user + ":" + password).getBytes(StandardCharsets.UTF_8));
  }

  private void logIn(String host, String user, String password) throws IOException {
    Files.writeString(
        config(),
        "{\"auths\":{\""
            + host
            + "\":{\"auth\":\""
            + basic(user, password).substring("Basic ".length())
            + "\"}}}");
  }

  private Path config() {
    return folder.resolve("config.json");
  }

  private FaultServer server() {
    FaultServer server = new FaultServer();
    opened.add(server);
    return server;
  }

  private RegistrySettings settings() {
    return RegistrySettings.DEFAULT.withCredentials(config(), List.of());
  }

  private RegistryClient client(String host) {
    return registries(settings()).client(reference(host));
  }

  private Registries registries(RegistrySettings settings) {
    Registries registries = new Registries(settings, time.timing());
    opened.addFirst(registries);
    return registries;
  }

  private static ImageReference.Registry reference(String host) {
    return (ImageReference.Registry) ImageReference.parse(host + "/team/app:v1");
  }
}
