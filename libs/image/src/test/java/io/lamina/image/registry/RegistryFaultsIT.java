package io.lamina.image.registry;

import static io.lamina.image.registry.FaultServer.answer;
import static io.lamina.image.registry.FaultServer.cutAfter;
import static io.lamina.image.registry.FaultServer.ranged;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.lamina.image.Descriptor;
import io.lamina.image.Digest;
import io.lamina.image.ImageException;
import io.lamina.image.ImageReference;
import io.lamina.image.testing.ImageBuilder;
import io.lamina.image.testing.TarBuilder.Compression;
import io.lamina.image.testing.TestImage;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Semaphore;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Registries that break off, lie, stall and refuse. */
class RegistryFaultsIT {
  private static final byte[] CONTENT = content(300_000);
  private static final Descriptor BLOB =
      new Descriptor("x", Digest.sha256(CONTENT), CONTENT.length);
  private static final String BLOB_PATH = "/v2/team/app/blobs/" + BLOB.digest();
  private static final String MANIFEST_PATH = "/v2/team/app/manifests/v1";
  private static final TestImage IMAGE =
      ImageBuilder.oci().layer(Compression.GZIP, tar -> tar.file("a", 0644, "a")).build();

  private final FakeTiming time = new FakeTiming();
  private final List<AutoCloseable> opened = new ArrayList<>();
  private FaultServer server;

  @BeforeEach
  void start() {
    server = new FaultServer();
    opened.add(server);
  }

  @AfterEach
  void stop() throws Exception {
    for (AutoCloseable each : opened) {
      each.close();
    }
  }

  // ---- blobs ------------------------------------------------------------------------------------

  @Test
  void resumesABlobThatBreaksOff() throws IOException {
    CountDownLatch cut = new CountDownLatch(1);
    server.inTurn(BLOB_PATH, cutWhen(cut), ranged(CONTENT, CONTENT.length));

    assertThat(readCutAt100000(client(), cut)).isEqualTo(CONTENT);
    assertThat(server.seen).hasSize(2);
    assertThat(server.seen.get(1).range()).isEqualTo("bytes=100000-");
    assertThat(time.waits).hasSize(1);
  }

  @Test
  void goesOnAsLongAsThereIsProgress() throws IOException {
    Semaphore cuts = new Semaphore(0);
    server.on(BLOB_PATH, pieces(10_000, cuts));

    assertThat(readPieces(10_000, cuts)).isEqualTo(CONTENT);
    assertThat(server.seen).hasSize(30);
  }

  @Test
  void skipsBytesWhereTheRegistryIgnoresRanges() throws IOException {
    server.inTurn(BLOB_PATH, cutAfter(100_000, CONTENT), answer(200, CONTENT));

    assertThat(read(client())).isEqualTo(CONTENT);
  }

  @Test
  void asksWithoutARangeAfterAWrongOne() throws IOException {
    byte[] rest = Arrays.copyOfRange(CONTENT, 50_000, CONTENT.length);
    server.inTurn(
        BLOB_PATH,
        cutAfter(100_000, CONTENT),
        answer(206, rest, "Content-Range", "bytes 50000-299999/300000"),
        answer(200, CONTENT));

    assertThat(read(client())).isEqualTo(CONTENT);
    assertThat(server.seen.get(2).range()).isEmpty();
  }

  @Test
  void asksWithoutARangeWhereItCannotBeSatisfied() throws IOException {
    server.inTurn(BLOB_PATH, cutAfter(100_000, CONTENT), answer(416, ""), answer(200, CONTENT));

    assertThat(read(client())).isEqualTo(CONTENT);
  }

  @Test
  void noticesACorruptByteOnEitherSideOfABreak() {
    byte[] wrong = CONTENT.clone();
    wrong[200_000] ^= 1;
    assertCorruptAroundABreak(CONTENT, wrong);

    byte[] early = CONTENT.clone();
    early[5] ^= 1;
    assertCorruptAroundABreak(early, CONTENT);
  }

  private void assertCorruptAroundABreak(byte[] before, byte[] after) {
    CountDownLatch cut = new CountDownLatch(1);
    server.inTurn(BLOB_PATH, cutWhen(cut, before), ranged(after, after.length));
    assertThatThrownBy(() -> readCutAt100000(client(), cut))
        .isInstanceOf(IOException.class)
        .hasCauseInstanceOf(ImageException.Corrupt.class)
        .hasMessageContaining("has the digest");
  }

  @Test
  void noticesABlobThatIsLongerThanPromised() {
    server.on(
        BLOB_PATH,
        exchange -> {
          exchange.sendResponseHeaders(200, 0); // Chunked, so no length is stated.
          exchange.getResponseBody().write(CONTENT);
          exchange.getResponseBody().write(1);
        });

    assertCorrupt("has more bytes than the promised 300000");
  }

  @Test
  void noticesALengthThatIsNotTheManifests() {
    server.on(BLOB_PATH, answer(200, "short"));

    assertThatThrownBy(() -> client().openBlob(BLOB))
        .isInstanceOf(ImageException.Corrupt.class)
        .hasMessageContaining("has 5 bytes at the registry; the manifest says 300000");
  }

  @Test
  void givesUpABlobThatNeverContinues() {
    CountDownLatch cut = new CountDownLatch(1);
    server.inTurn(BLOB_PATH, cutWhen(cut), answer(503, ""));

    assertThatThrownBy(() -> readCutAt100000(client(), cut))
        .isInstanceOf(IOException.class)
        .hasCauseInstanceOf(ImageException.Retryable.class)
        .hasMessageContaining("broke off at byte 100000 of 300000");
    assertThat(server.seen).hasSize(5);
    assertThat(time.waits).hasSize(4);
  }

  @Test
  void givesUpABlobThatNeverEnds() {
    Semaphore cuts = new Semaphore(0);
    server.on(BLOB_PATH, pieces(1_000, cuts));

    assertThatThrownBy(() -> readPieces(1_000, cuts))
        .hasCauseInstanceOf(ImageException.Retryable.class)
        .hasMessageContaining("101. time");
    assertThat(server.seen).hasSize(101);
  }

  @Test
  void resumesABlobThatStalls() throws Exception {
    CountDownLatch end = new CountDownLatch(1);
    opened.addFirst(end::countDown);
    server.inTurn(
        BLOB_PATH,
        exchange -> {
          exchange.sendResponseHeaders(200, CONTENT.length);
          exchange.getResponseBody().write(CONTENT, 0, 100_000);
          exchange.getResponseBody().flush();
          await(end);
        },
        ranged(CONTENT, CONTENT.length));

    assertThat(read(client(quick()))).isEqualTo(CONTENT);
    assertThat(server.seen.get(1).range()).isEqualTo("bytes=100000-");
  }

  @Test
  void endsWhenABlobIsGoneInTheMiddle() {
    server.inTurn(BLOB_PATH, cutAfter(100_000, CONTENT), answer(404, ""));

    assertThatThrownBy(() -> read(client()))
        .isInstanceOf(IOException.class)
        .hasCauseInstanceOf(ImageException.NotFound.class);
  }

  @Test
  void refusesABlobInAnotherEncoding() {
    server.on(BLOB_PATH, answer(200, CONTENT, "Content-Encoding", "gzip"));

    assertThatThrownBy(() -> client().openBlob(BLOB))
        .isInstanceOf(ImageException.Rejected.class)
        .hasMessageContaining("another encoding");
  }

  @Test
  void freesItsPlaceWhenAStreamIsClosedEarly() throws IOException {
    server.on(BLOB_PATH, answer(200, CONTENT));
    Registries registries = registries(RegistrySettings.DEFAULT);
    try (InputStream in = registries.client(reference()).openBlob(BLOB)) {
      assertThat(in.read()).isEqualTo(CONTENT[0] & 0xff);
      assertThat(load(registries).inUse()).isEqualTo(1);
    }

    assertThat(load(registries).inUse()).isZero();
  }

  @Test
  void letsNoMoreRequestsThroughThanAllowed() throws IOException {
    server.on(BLOB_PATH, answer(200, CONTENT));
    Registries registries = registries(quick().withRequestsPerRegistry(1).withRetries(once()));
    RegistryClient client = registries.client(reference());
    try (InputStream in = client.openBlob(BLOB)) {
      assertThatThrownBy(() -> client.openBlob(BLOB))
          .isInstanceOf(ImageException.Retryable.class)
          .hasMessageContaining("close blobs that are not read");
      assertThat(in.read()).isNotNegative();
    }

    assertThat(load(registries)).isEqualTo(new RegistryLoad(0, 1, 1));
    assertThat(read(client)).isEqualTo(CONTENT);
  }

  // ---- retries ----------------------------------------------------------------------------------

  @ParameterizedTest
  @ValueSource(strings = {"7", "Fri, 02 Jan 2026 03:04:12 GMT"})
  void waitsAsLongAsTheRegistryAsks(String retryAfter) {
    server.inTurn(MANIFEST_PATH, answer(429, "", "Retry-After", retryAfter), image());

    assertThat(client().manifest("v1").bytes()).isEqualTo(IMAGE.manifestBytes());
    assertThat(time.waits).containsExactly(Duration.ofSeconds(7));
  }

  @Test
  void handsTheWishOnWhereItIsTooLong() {
    server.on(
        MANIFEST_PATH,
        answer(
            429,
            "{\"errors\":[{\"code\":\"TOOMANYREQUESTS\",\"message\":\"pull limit\"}]}",
            "Retry-After",
            "3600"));

    assertThatThrownBy(() -> client().manifest("v1"))
        .isInstanceOfSatisfying(
            ImageException.Retryable.class,
            e -> assertThat(e.retryAfter()).contains(Duration.ofHours(1)))
        .hasMessageContaining("status 429 (TOOMANYREQUESTS: pull limit)");
    assertThat(server.seen).hasSize(1);
  }

  @ParameterizedTest
  @ValueSource(ints = {408, 429, 500, 502, 503, 504})
  void triesAgainAfterPassingFailures(int status) {
    server.inTurn(
        MANIFEST_PATH, answer(status, ""), answer(status, ""), answer(status, ""), image());

    assertThat(client().manifest("v1").bytes()).isEqualTo(IMAGE.manifestBytes());
    assertThat(time.waits).hasSize(3).isSorted();
  }

  @Test
  void givesUpAfterTheLastAttempt() {
    server.on(MANIFEST_PATH, answer(503, ""));

    assertThatThrownBy(() -> client().manifest("v1"))
        .isInstanceOf(ImageException.Retryable.class)
        .hasMessageContaining("/team/app: manifest v1: status 503");
    assertThat(server.seen).hasSize(5);
  }

  @ParameterizedTest
  @ValueSource(ints = {400, 405, 410, 418, 501})
  void doesNotRepeatWhatCannotSucceed(int status) {
    server.on(MANIFEST_PATH, answer(status, ""));

    assertThatThrownBy(() -> client().manifest("v1"))
        .isInstanceOf(ImageException.Rejected.class)
        .hasMessageContaining("status " + status);
    assertThat(server.seen).hasSize(1);
  }

  @Test
  void saysThatNobodyAnswers() {
    server.close();

    assertThatThrownBy(() -> client().manifest("v1"))
        .isInstanceOf(ImageException.Retryable.class)
        .hasMessageContaining("cannot connect to " + server.host());
  }

  @Test
  void doesNotWaitForHeadersForEver() {
    CountDownLatch end = new CountDownLatch(1);
    opened.addFirst(end::countDown);
    server.on(MANIFEST_PATH, exchange -> await(end));

    assertThatThrownBy(() -> client(quick().withRetries(once())).manifest("v1"))
        .isInstanceOf(ImageException.Retryable.class)
        .hasMessageContaining("no answer in time");
  }

  @Test
  void stopsWhenInterrupted() {
    server.on(MANIFEST_PATH, answer(503, ""));

    Thread.currentThread().interrupt();
    assertThatThrownBy(() -> client().manifest("v1")).isInstanceOf(ImageException.Retryable.class);

    assertThat(Thread.interrupted()).isTrue();
    assertThat(server.seen).hasSizeLessThan(2);
  }

  // ---- manifests --------------------------------------------------------------------------------

  @Test
  void comparesAManifestWithTheDigestItWasAskedForBy() {
    String digest = "sha256:" + "1".repeat(64);
    server.on("/v2/team/app/manifests/" + digest, image());

    assertThatThrownBy(() -> client().manifest(digest))
        .isInstanceOf(ImageException.Corrupt.class)
        .hasMessageContaining("asked for was " + digest);
  }

  @Test
  void comparesAManifestWithTheDigestThatTheRegistryStates() {
    server.on(
        MANIFEST_PATH,
        answer(200, IMAGE.manifestBytes(), "Docker-Content-Digest", "sha256:" + "1".repeat(64)));

    assertThatThrownBy(() -> client().manifest("v1"))
        .isInstanceOf(ImageException.Corrupt.class)
        .hasMessageContaining("announced was");
  }

  @Test
  void readsNoEndlessManifest() {
    server.on(
        MANIFEST_PATH,
        exchange -> {
          exchange.sendResponseHeaders(200, 0);
          byte[] block = new byte[1 << 16];
          for (int i = 0; i < 1000; i++) {
            exchange.getResponseBody().write(block);
          }
        });

    assertThatThrownBy(() -> client().manifest("v1"))
        .isInstanceOf(ImageException.Rejected.class)
        .hasMessageContaining("longer than 4194304 bytes");
  }

  @Test
  void pullsToLearnADigestThatTheRegistryDoesNotState() {
    server.on(MANIFEST_PATH, image());

    assertThat(client().digest("v1")).contains(IMAGE.manifest().digest());
    assertThat(server.seen).extracting(FaultServer.Seen::method).containsExactly("HEAD", "GET");
  }

  @Test
  void understandsContentTypesWithParameters() {
    server.on(
        MANIFEST_PATH,
        answer(
            200,
            IMAGE.manifestBytes(),
            "Content-Type",
            "Application/vnd.oci.image.manifest.v1+JSON; charset=utf-8"));

    assertThat(client().manifest("v1").mediaType()).contains(IMAGE.manifest().mediaType());
  }

  // ---- redirects --------------------------------------------------------------------------------

  @Test
  void followsARedirectToAnotherHostWithoutCredentials() throws IOException {
    FaultServer cdn = new FaultServer().on("/cdn", ranged(CONTENT, CONTENT.length));
    opened.add(cdn);
    server.on(
        BLOB_PATH,
        protectedBy("Basic realm=x", answer(307, "", "Location", cdn.url("/cdn?sig=1"))));

    assertThat(read(client(withPassword()))).isEqualTo(CONTENT);
    assertThat(server.seen.getLast().authorization()).startsWith("Basic ");
    assertThat(cdn.seen).hasSize(1);
    assertThat(cdn.seen.getFirst().authorization()).isEmpty();
  }

  @Test
  void keepsCredentialsOnARedirectToTheSameHost() throws IOException {
    server.on(BLOB_PATH, protectedBy("Basic realm=x", answer(302, "", "Location", "/elsewhere")));
    server.on("/elsewhere", protectedBy("Basic realm=x", answer(200, CONTENT)));

    assertThat(read(client(withPassword()))).isEqualTo(CONTENT);
    assertThat(server.seen.getLast().authorization()).startsWith("Basic ");
  }

  @Test
  void givesNoCredentialsToAnotherHostThatAsksForThem() {
    FaultServer other = new FaultServer();
    opened.add(other);
    other.on("/x", protectedBy("Basic realm=x", answer(200, CONTENT)));
    server.on(BLOB_PATH, answer(307, "", "Location", other.url("/x")));

    assertThatThrownBy(() -> client(withPassword()).openBlob(BLOB))
        .isInstanceOf(ImageException.NotFound.class);
    assertThat(other.seen).hasSize(1).allMatch(s -> s.authorization().isEmpty());
  }

  @Test
  void resumesAtTheRegistryAndNotAtItsRedirect() throws IOException {
    FaultServer cdn = new FaultServer();
    opened.add(cdn);
    CountDownLatch cut = new CountDownLatch(1);
    cdn.on("/one", cutWhen(cut)).on("/two", ranged(CONTENT, CONTENT.length));
    server.inTurn(
        BLOB_PATH,
        answer(307, "", "Location", cdn.url("/one")),
        answer(307, "", "Location", cdn.url("/two")));

    assertThat(readCutAt100000(client(), cut)).isEqualTo(CONTENT);
    assertThat(cdn.seen.getLast().range()).isEqualTo("bytes=100000-");
  }

  @Test
  void followsNoEndlessRedirect() {
    server.on(MANIFEST_PATH, answer(302, "", "Location", MANIFEST_PATH));

    assertThatThrownBy(() -> client().manifest("v1"))
        .isInstanceOf(ImageException.Rejected.class)
        .hasMessageContaining("more than 5 times");
    assertThat(server.seen).hasSize(6);
  }

  @Test
  void sendsNoBodyToAnotherHost() {
    FaultServer other = new FaultServer();
    opened.add(other);
    server.on("/v2/team/app/manifests/v2", answer(307, "", "Location", other.url("/steal")));

    assertThatThrownBy(() -> client().pushManifest("v2", IMAGE.manifest(), IMAGE.manifestBytes()))
        .isInstanceOf(ImageException.Rejected.class)
        .hasMessageContaining("only repeated at the same place");
    assertThat(other.seen).isEmpty();
  }

  // ---- tags -------------------------------------------------------------------------------------

  @Test
  void listsTagsPageByPage() {
    server.inTurn(
        "/v2/team/app/tags/list",
        answer(
            200,
            "{\"tags\":[\"a\",\"b\"]}",
            "Link",
            "</v2/team/app/tags/list?last=b&n=2>; rel=\"next\""),
        answer(
            200,
            "{\"tags\":[\"b\",\"c\"]}",
            "Link",
            "<https://" + server.host() + "/v2/team/app/tags/list?last=c>; rel=next"),
        answer(200, "{\"tags\":[\"d\"]}"));

    assertThat(client().tags()).containsExactly("a", "b", "c", "d");
    assertThat(server.seen)
        .extracting(FaultServer.Seen::path)
        .last()
        .isEqualTo("/v2/team/app/tags/list?last=c");
  }

  @Test
  void listsNoTagsWhereThereAreNone() {
    server.on("/v2/team/app/tags/list", answer(200, "{\"name\":\"team/app\",\"tags\":null}"));

    assertThat(client().tags()).isEmpty();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "<https://elsewhere.test/v2/team/app/tags/list?n=2>; rel=\"next\"",
        "</v2/other/app/tags/list?n=2>; rel=\"next\"",
        "</v2/team/app/tags/list>; rel=\"next\"",
        "<::>; rel=\"next\"",
      })
  void followsNoPageElsewhere(String link) {
    server.on("/v2/team/app/tags/list", answer(200, "{\"tags\":[\"a\"]}", "Link", link));

    assertThatThrownBy(() -> client().tags())
        .isInstanceOf(ImageException.Rejected.class)
        .hasMessageContaining("next page");
  }

  @Test
  void noticesPagesThatGoInACircle() {
    server.on(
        "/v2/team/app/tags/list",
        answer(200, "{\"tags\":[\"a\"]}", "Link", "<?n=1>; rel=\"next\""));

    assertThatThrownBy(() -> client().tags())
        .isInstanceOf(ImageException.Rejected.class)
        .hasMessageContaining("circle");
    assertThat(server.seen).hasSize(2);
  }

  @Test
  void refusesTagsThatBreakTheGrammar() {
    server.on("/v2/team/app/tags/list", answer(200, "{\"tags\":[\"../../x\"]}"));

    assertThatThrownBy(() -> client().tags()).isInstanceOf(ImageException.Rejected.class);
  }

  // ---- mirrors ----------------------------------------------------------------------------------

  @Test
  void asksMirrorsFirstAndTheRegistryLast() throws IOException {
    FaultServer gone = new FaultServer();
    gone.close();
    FaultServer empty = new FaultServer();
    FaultServer full = new FaultServer();
    opened.addAll(List.of(empty, full));
    full.on("/v2/proxy/hub/team/app/manifests/v1", image());
    server.on(BLOB_PATH, answer(200, CONTENT));
    RegistryClient client =
        client(
            RegistrySettings.DEFAULT.withHost(
                server.host(),
                new HostSettings(
                    false,
                    Optional.empty(),
                    List.of(gone.url(""), empty.url("/"), full.url("/proxy/hub/")),
                    Optional.empty())));

    assertThat(client.manifest("v1").bytes()).isEqualTo(IMAGE.manifestBytes());
    assertThat(server.seen).isEmpty();
    assertThat(empty.seen).hasSize(1);

    assertThat(read(client)).isEqualTo(CONTENT);
    assertThat(server.seen).hasSize(1);
  }

  @Test
  void goesOnAtTheRegistryWhenAMirrorBreaksForGood() throws IOException {
    FaultServer mirror = new FaultServer();
    opened.add(mirror);
    CountDownLatch cut = new CountDownLatch(1);
    mirror.inTurn(BLOB_PATH, cutWhen(cut), answer(404, ""));
    server.on(BLOB_PATH, ranged(CONTENT, CONTENT.length));
    RegistryClient client =
        client(
            RegistrySettings.DEFAULT.withHost(
                server.host(),
                new HostSettings(
                    false, Optional.empty(), List.of(mirror.url("")), Optional.empty())));

    assertThat(readCutAt100000(client, cut)).isEqualTo(CONTENT);
    assertThat(server.seen.getFirst().range()).isEqualTo("bytes=100000-");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"mirror", "ftp://x", "https://u:p@x/", "https://x/../y", "http://x.test/"})
  void refusesMalformedMirrors(String mirror) {
    assertThatThrownBy(
            () ->
                client(
                    RegistrySettings.DEFAULT.withHost(
                        server.host(),
                        new HostSettings(
                            false, Optional.empty(), List.of(mirror), Optional.empty()))))
        .isInstanceOf(ImageException.Rejected.class)
        .hasMessageContaining("mirror");
  }

  // ---- pushing ----------------------------------------------------------------------------------

  @Test
  void startsABrokenUploadAgain() {
    server.on(BLOB_PATH, answer(404, ""));
    server.on("/v2/team/app/blobs/uploads/", answer(202, "", "Location", "/upload/1?_state=a%3Db"));
    server.inTurn("/upload/1", answer(500, ""), answer(201, ""));

    assertThat(client().pushBlob(BLOB, () -> new ByteArrayInputStream(CONTENT), Optional.empty()))
        .isTrue();
    assertThat(server.seen)
        .extracting(FaultServer.Seen::method)
        .containsExactly("HEAD", "POST", "PUT", "HEAD", "POST", "PUT");
    assertThat(server.seen.getLast().path())
        .isEqualTo("/upload/1?_state=a%3Db&digest=sha256%3A" + BLOB.digest().hex());
    assertThat(server.seen.getLast().body()).isEqualTo(new String(CONTENT, StandardCharsets.UTF_8));
  }

  @Test
  void noticesThatALostReplyWasASuccess() {
    server.inTurn(BLOB_PATH, answer(404, ""), answer(200, ""));
    server.on("/v2/team/app/blobs/uploads/", answer(202, "", "Location", "/upload/1"));
    server.on("/upload/1", answer(502, ""));

    assertThat(client().pushBlob(BLOB, () -> new ByteArrayInputStream(CONTENT), Optional.empty()))
        .isFalse();
    assertThat(server.seenAt("/upload/1")).hasSize(1);
  }

  @Test
  void uploadsElsewhereWithoutCredentials() {
    FaultServer storage = new FaultServer().on("/put", answer(201, ""));
    opened.add(storage);
    server.on(BLOB_PATH, protectedBy("Basic realm=x", answer(404, "")));
    server.on(
        "/v2/team/app/blobs/uploads/",
        protectedBy("Basic realm=x", answer(202, "", "Location", storage.url("/put"))));

    client(withPassword())
        .pushBlob(BLOB, () -> new ByteArrayInputStream(CONTENT), Optional.empty());

    assertThat(storage.seen).hasSize(1);
    assertThat(storage.seen.getFirst().authorization()).isEmpty();
  }

  @Test
  void saysThatPushingIsNotAllowed() {
    server.on(
        MANIFEST_PATH,
        answer(403, "{\"errors\":[{\"code\":\"DENIED\",\"message\":\"read\\nonly\"}]}"));

    assertThatThrownBy(() -> client().pushManifest("v1", IMAGE.manifest(), IMAGE.manifestBytes()))
        .isInstanceOf(ImageException.Rejected.class)
        .hasMessageContaining("status 403 (DENIED: read?only) (asked without credentials)");
  }

  // ---- help -------------------------------------------------------------------------------------

  private static FaultServer.Handler image() {
    return answer(200, IMAGE.manifestBytes(), "Content-Type", IMAGE.manifest().mediaType());
  }

  private static FaultServer.Handler protectedBy(String challenge, FaultServer.Handler inner) {
    return exchange -> {
      if (exchange.getRequestHeaders().getFirst("Authorization") == null) {
        answer(401, "", "WWW-Authenticate", challenge).handle(exchange);
      } else {
        inner.handle(exchange);
      }
    };
  }

  private RegistrySettings withPassword() {
    try {
      Path file = Files.createTempFile("lamina", ".json");
      opened.add(() -> Files.delete(file));
      Files.writeString(
          file,
          "{\"auths\":{\"" + server.host() + "\":{\"username\":\"me\",\"password\":\"pw\"}}}");
      return RegistrySettings.DEFAULT.withCredentials(file, List.of());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private void assertCorrupt(String how) {
    assertThatThrownBy(() -> read(client()))
        .isInstanceOf(IOException.class)
        .hasCauseInstanceOf(ImageException.Corrupt.class)
        .hasMessageContaining(how);
  }

  private static RetryPolicy once() {
    return new RetryPolicy(1, Duration.ZERO, Duration.ZERO);
  }

  private static RegistrySettings quick() {
    Duration soon = Duration.ofMillis(400);
    return RegistrySettings.DEFAULT.withTimeouts(
        new Timeouts(Duration.ofSeconds(10), soon, soon, Duration.ofSeconds(10), soon));
  }

  private static void await(CountDownLatch latch) {
    try {
      latch.await();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private RegistryLoad load(Registries registries) {
    return Objects.requireNonNull(registries.load().get(server.host()));
  }

  /** Hangs up once the client has the first 100,000 bytes. */
  private static FaultServer.Handler cutWhen(CountDownLatch cut) {
    return cutWhen(cut, CONTENT);
  }

  private static FaultServer.Handler cutWhen(CountDownLatch cut, byte[] content) {
    return exchange -> {
      cutAfter(100_000, content).handle(exchange);
      await(cut);
    };
  }

  private byte[] readCutAt100000(RegistryClient client, CountDownLatch cut) throws IOException {
    try (InputStream in = client.openBlob(BLOB)) {
      byte[] whole = Arrays.copyOf(in.readNBytes(100_000), CONTENT.length);
      cut.countDown();
      int more = in.readNBytes(whole, 100_000, CONTENT.length - 100_000);
      assertThat(more).isEqualTo(CONTENT.length - 100_000);
      assertThat(in.read()).isNegative();
      return whole;
    }
  }

  /**
   * Sends the next bytes of what was asked for and hangs up once the client has them: a client may
   * drop what it has not handed out when the connection ends.
   */
  private static FaultServer.Handler pieces(int bytes, Semaphore cuts) {
    return exchange -> {
      ranged(CONTENT, bytes).handle(exchange);
      cuts.acquireUninterruptibly();
    };
  }

  private byte[] readPieces(int bytes, Semaphore cuts) throws IOException {
    ByteArrayOutputStream whole = new ByteArrayOutputStream();
    opened.addFirst(() -> cuts.release(CONTENT.length));
    try (InputStream in = client().openBlob(BLOB)) {
      for (byte[] piece = in.readNBytes(bytes); piece.length > 0; piece = in.readNBytes(bytes)) {
        whole.writeBytes(piece);
        cuts.release();
      }
    }
    return whole.toByteArray();
  }

  private byte[] read(RegistryClient client) throws IOException {
    try (InputStream in = client.openBlob(BLOB)) {
      return in.readAllBytes();
    }
  }

  private Registries registries(RegistrySettings settings) {
    Registries registries = new Registries(settings, time.timing());
    opened.addFirst(registries);
    return registries;
  }

  private RegistryClient client() {
    return client(RegistrySettings.DEFAULT);
  }

  private RegistryClient client(RegistrySettings settings) {
    return registries(settings).client(reference());
  }

  private ImageReference.Registry reference() {
    return (ImageReference.Registry) ImageReference.parse(server.host() + "/team/app:v1");
  }

  private static byte[] content(int size) {
    byte[] bytes = new byte[size];
    new Random(3).nextBytes(bytes);
    return bytes;
  }
}
