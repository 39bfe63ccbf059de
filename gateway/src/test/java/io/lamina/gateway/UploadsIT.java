package io.lamina.gateway;

import static org.assertj.core.api.Assertions.assertThat;

import io.lamina.cvmfs.RepositoryName;
import io.lamina.gateway.access.TokenHashes;
import io.lamina.messaging.event.Event;
import io.lamina.storage.InMemoryObjectStore;
import io.lamina.storage.ObjectStore;
import io.lamina.storage.StorageException;
import io.lamina.storage.UploadArea;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.Optional;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(60)
class UploadsIT {
  private static final String HELLO = TokenHashes.sha256("hello layer");

  @TempDir Path folder;
  private final ObjectStore store = new InMemoryObjectStore(Clock.systemUTC());
  private TestGateway gateway;

  @BeforeEach
  void start() {
    gateway =
        new TestGateway.Setup(folder)
            .with("gateway.limits.uploads", "1")
            .with("gateway.limits.upload-size", "64MiB")
            .with(
                (RepositoryName name) ->
                    name.value().equals("r.example.org") ? Optional.of(store) : Optional.empty())
            .start();
  }

  @AfterEach
  void stop() {
    gateway.close();
  }

  @Test
  void storesALayerThatIsWhatItSaysAndTakesTheCommit() throws IOException {
    byte[] layer = new byte[20 << 20];
    new Random(1).nextBytes(layer);
    String hex = TokenHashes.sha256(layer);

    HttpResponse<String> first = put(hex, HttpRequest.BodyPublishers.ofByteArray(layer));
    HttpResponse<String> again = put(hex, HttpRequest.BodyPublishers.ofByteArray(layer));
    HttpResponse<String> commit =
        gateway.post(
            "/api/v1/diff-commits",
            """
            {"repository": "r.example.org", "digest": "sha256:%s", "sizeBytes": %d,
             "diffId": "sha256:%s"}"""
                .formatted(hex, layer.length, hex));

    assertThat(first.statusCode()).as(first.body()).isEqualTo(201);
    assertThat(again.statusCode()).as(again.body()).isEqualTo(200);
    assertThat(store.read(UploadArea.keyOf(hex), layer.length)).isEqualTo(layer);
    assertThat(commit.statusCode()).as(commit.body()).isEqualTo(202);
    assertThat(gateway.log.events().getLast())
        .isInstanceOfSatisfying(
            Event.DiffCommitRequested.class,
            c -> assertThat(c.layer().blob().sizeBytes()).isEqualTo(layer.length));
    assertThat(gateway.get("/status/" + hex).body()).isEqualTo("publishing");
    assertNothingIsLeft();
  }

  @Test
  void tellsWhatNeedNotBeSentAgain() {
    String path = "/api/v1/uploads/sha256:" + HELLO + "?repository=r.example.org";
    assertThat(gateway.get(path).statusCode()).isEqualTo(404);

    put(HELLO, HttpRequest.BodyPublishers.ofString("hello layer"));

    HttpResponse<String> found = gateway.get(path);
    assertThat(found.statusCode()).isEqualTo(200);
    assertThat(found.body()).contains("\"sizeBytes\":11", "sha256:" + HELLO);
    assertThat(gateway.get(path.replace("r.example", "other.example")).statusCode()).isEqualTo(404);
  }

  @Test
  void takesUploadsOverHttp2WithItsFlowControl() {
    byte[] layer = new byte[5 << 20];
    new Random(2).nextBytes(layer);
    String hex = TokenHashes.sha256(layer);
    try (TestGateway http2 =
        new TestGateway.Setup(folder.resolve("http2"))
            .http2()
            .with((RepositoryName name) -> Optional.of(store))
            .start()) {
      // The first request upgrades the connection.
      assertThat(http2.get("/version").version()).isEqualTo(HttpClient.Version.HTTP_2);

      HttpResponse<String> answer =
          http2.send(
              http2
                  .request("/api/v1/uploads/sha256:" + hex + "?repository=r.example.org")
                  .PUT(
                      HttpRequest.BodyPublishers.fromPublisher(
                          HttpRequest.BodyPublishers.ofByteArray(layer), layer.length)));

      assertThat(answer.statusCode()).as(answer.body()).isEqualTo(201);
      assertThat(answer.version()).isEqualTo(HttpClient.Version.HTTP_2);
    }
  }

  @Test
  void keepsWhatAnotherGatewayIsJustWriting() throws IOException {
    Path spool = Files.createDirectories(folder.resolve("shared/spool"));
    Path young = Files.writeString(spool.resolve("upload-1.part"), "young");
    Path old = Files.writeString(spool.resolve("upload-2.part"), "old");
    Files.setLastModifiedTime(old, FileTime.from(Instant.now().minus(Duration.ofDays(2))));

    new TestGateway.Setup(folder.resolve("shared")).start().close();

    assertThat(young).exists();
    assertThat(old).doesNotExist();
  }

  @Test
  void storesNothingOfALayerThatIsSomethingElse() throws IOException {
    HttpResponse<String> other = put(HELLO, HttpRequest.BodyPublishers.ofString("jello layer"));

    assertThat(other.statusCode()).isEqualTo(422);
    assertThat(other.body())
        .contains("digest-mismatch", "nothing was stored", TokenHashes.sha256("jello layer"));
    assertThat(store.head(UploadArea.keyOf(HELLO))).isEmpty();
    assertNothingIsLeft();
  }

  @Test
  void needsTheSizeBeforehand() throws IOException {
    HttpResponse<String> chunked =
        put(
            HELLO,
            HttpRequest.BodyPublishers.ofInputStream(() -> new ByteArrayInputStream(new byte[9])));

    assertThat(chunked.statusCode()).isEqualTo(411);
    assertNothingIsLeft();
  }

  @Test
  void refusesMoreThanIsAllowed() throws IOException {
    try (RawHttp raw = new RawHttp(gateway.process.port())) {
      raw.send(head(HELLO, Long.toString((64L << 20) + 1)) + "\n");
      assertThat(raw.readToEnd())
          .startsWith("HTTP/1.1 413 ")
          .contains("gateway.limits.upload-size");
    }
    try (RawHttp raw = new RawHttp(gateway.process.port())) {
      raw.send(head("zz", "5") + "\n");
      assertThat(raw.readToEnd()).startsWith("HTTP/1.1 400 ").contains("64 hex digits");
    }
  }

  @Test
  void forgetsAnUploadThatBreaksOff() throws Exception {
    try (RawHttp raw = new RawHttp(gateway.process.port())) {
      raw.send(head(HELLO, "11") + "\nhello");
      until(() -> gateway.get("/metrics").body().contains("gateway_uploads_in_use 1.0"));

      HttpResponse<String> second = put(HELLO, HttpRequest.BodyPublishers.ofString("hello layer"));
      assertThat(second.statusCode()).as("only one at a time").isEqualTo(429);
      assertThat(second.headers().firstValue("Retry-After")).isPresent();
    }
    until(() -> gateway.get("/metrics").body().contains("gateway_uploads_in_use 0.0"));

    assertThat(put(HELLO, HttpRequest.BodyPublishers.ofString("hello layer")).statusCode())
        .isEqualTo(201);
    assertNothingIsLeft();
  }

  @Test
  void letsClientsAskBeforeTheySend() throws IOException {
    try (RawHttp raw = new RawHttp(gateway.process.port())) {
      raw.send(head(HELLO, "11") + "Expect: 100-continue\nConnection: close\n\n");
      assertThat(raw.readUntil("\r\n\r\n")).startsWith("HTTP/1.1 100 ");
      raw.send("hello layer");
      assertThat(raw.readToEnd()).startsWith("HTTP/1.1 201 ");
    }
  }

  @Test
  void knowsOnlyItsRepositories() throws IOException {
    HttpResponse<String> answer =
        gateway.send(
            gateway
                .request("/api/v1/uploads/sha256:" + HELLO + "?repository=other.example.org")
                .PUT(HttpRequest.BodyPublishers.ofString("hello layer")));

    assertThat(answer.statusCode()).isEqualTo(404);
    assertThat(answer.body()).contains("no storage of a repository 'other.example.org'");
    assertNothingIsLeft();
  }

  @Test
  void saysThatTheStorageFailsWithoutItsInnards() {
    try (TestGateway failing =
        new TestGateway.Setup(folder.resolve("failing"))
            .with(
                (RepositoryName name) -> {
                  throw new StorageException.Retryable("secret-host refused", null);
                })
            .start()) {
      HttpResponse<String> answer =
          failing.send(
              failing
                  .request("/api/v1/uploads/sha256:" + HELLO + "?repository=r.example.org")
                  .PUT(HttpRequest.BodyPublishers.ofString("hello layer")));

      assertThat(answer.statusCode()).isEqualTo(503);
      assertThat(answer.body()).doesNotContain("secret-host");
    }
  }

  private static String head(String hex, String length) {
    return "PUT /api/v1/uploads/sha256:"
        + hex
        + "?repository=r.example.org HTTP/1.1\nHost: localhost\nContent-Length: "
        + length
        + "\n";
  }

  private HttpResponse<String> put(String hex, HttpRequest.BodyPublisher body) {
    return gateway.send(
        gateway.request("/api/v1/uploads/sha256:" + hex + "?repository=r.example.org").PUT(body));
  }

  private void assertNothingIsLeft() throws IOException {
    try (Stream<Path> files = Files.list(folder.resolve("spool"))) {
      assertThat(files).isEmpty();
    }
  }

  private static void until(java.util.function.BooleanSupplier condition)
      throws InterruptedException {
    Eventually.is(condition);
  }
}
