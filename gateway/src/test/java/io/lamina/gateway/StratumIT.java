package io.lamina.gateway;

import static org.assertj.core.api.Assertions.assertThat;

import io.lamina.cvmfs.RepositoryName;
import io.lamina.storage.Content;
import io.lamina.storage.InMemoryObjectStore;
import io.lamina.storage.ObjectKey;
import io.lamina.storage.ObjectStore;
import java.io.IOException;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.util.Optional;
import java.util.Random;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@Timeout(60)
class StratumIT {
  private static final String OBJECT = "data/ab/cccccccccccccccccccccccccccccccccccccc";
  private static final int LARGE_BYTES = 30 << 20;

  @TempDir static Path folder;
  private static Path repository;
  private static final ObjectStore STORE = new InMemoryObjectStore(Clock.systemUTC());
  private static final byte[] LARGE = new byte[LARGE_BYTES];
  private static TestGateway gateway;
  private static TestGateway http2;

  @BeforeAll
  static void start() throws IOException {
    new Random(5).nextBytes(LARGE);
    repository = folder.resolve("cvmfs/local.example.org");
    Files.createDirectories(repository.resolve("data/ab"));
    Files.writeString(repository.resolve(".cvmfspublished"), "C1234\n--\n");
    Files.write(repository.resolve(OBJECT), LARGE);
    Files.writeString(repository.resolve("secret.txt"), "secret");
    Files.writeString(folder.resolve("outside"), "outside");
    STORE.putIfAbsent(new ObjectKey(OBJECT + "C"), Content.of(LARGE));
    gateway = setup().start();
    http2 = setup().http2().start();
  }

  private static TestGateway.Setup setup() {
    return new TestGateway.Setup(folder)
        .with("gateway.stratum.folder", folder.resolve("cvmfs").toString())
        .with(
            (RepositoryName name) ->
                name.value().equals("stored.example.org") ? Optional.of(STORE) : Optional.empty());
  }

  @AfterAll
  static void stop() {
    gateway.close();
    http2.close();
  }

  @Test
  void servesFilesAsClientsExpectThem() {
    HttpResponse<String> manifest = gateway.get("/cvmfs/local.example.org/.cvmfspublished");

    assertThat(manifest.statusCode()).isEqualTo(200);
    assertThat(manifest.body()).isEqualTo("C1234\n--\n");
    assertThat(manifest.headers().firstValue("Content-Type")).contains("application/x-cvmfs");
    assertThat(manifest.headers().firstValue("Cache-Control")).contains("max-age=61");
    assertThat(manifest.headers().firstValue("Content-Length")).contains("9");
  }

  @Test
  void answersHeadWithTheLengthAlone() {
    HttpResponse<byte[]> head =
        gateway.send(
            gateway
                .request("/cvmfs/local.example.org/" + OBJECT)
                .method("HEAD", HttpRequest.BodyPublishers.noBody()),
            HttpResponse.BodyHandlers.ofByteArray());

    assertThat(head.statusCode()).isEqualTo(200);
    assertThat(head.headers().firstValue("Content-Length")).contains(Integer.toString(LARGE_BYTES));
    assertThat(head.headers().firstValue("Cache-Control")).contains("max-age=259200");
    assertThat(head.body()).isEmpty();
  }

  @ParameterizedTest
  @ValueSource(strings = {"local.example.org/" + OBJECT, "stored.example.org/" + OBJECT + "C"})
  void servesLargeFilesWholeFromFoldersAndStoragesOverBothProtocols(String name) {
    for (TestGateway each : new TestGateway[] {gateway, http2}) {
      HttpResponse<byte[]> object =
          each.send(each.request("/cvmfs/" + name), HttpResponse.BodyHandlers.ofByteArray());

      assertThat(object.statusCode()).isEqualTo(200);
      assertThat(object.headers().firstValue("Content-Type")).contains("application/octet-stream");
      assertThat(object.body()).isEqualTo(LARGE);
    }
  }

  @Test
  void waitsForSlowReadersWithoutHoldingTheFileInMemory() throws IOException {
    try (RawHttp slow = new RawHttp(gateway.process.port())) {
      slow.send(
          "GET /cvmfs/stored.example.org/" + OBJECT + "C HTTP/1.1\nHost: x\nConnection: close\n\n");
      slow.readUntil("\n\r\n");

      assertThat(gateway.get("/version").statusCode()).isEqualTo(200);
      assertThat(gateway.get("/metrics").body()).contains("gateway_stratum_copies_in_use 1.0");
      assertThat(slow.in().readAllBytes()).isEqualTo(LARGE);
    }
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "/cvmfs/local.example.org/secret.txt",
        "/cvmfs/local.example.org/",
        "/cvmfs/local.example.org/data/",
        "/cvmfs/local.example.org/data/../secret.txt",
        "/cvmfs/local.example.org/../../outside",
        "/cvmfs/local.example.org/%2e%2e/%2e%2e/outside",
        "/cvmfs/local.example.org/..%2f..%2foutside",
        "/cvmfs/../outside",
        "/cvmfs//etc/passwd",
        "/cvmfs/local.example.org/.cvmfspublished%00",
        "/cvmfs/local.example.org\\..\\outside",
        "/cvmfs/nobody.example.org/.cvmfspublished",
        "/cvmfs/stored.example.org/.cvmfspublished",
        "/cvmfs/./local.example.org/.cvmfspublished",
      })
  void servesNothingElse(String path) throws IOException {
    try (RawHttp raw = new RawHttp(gateway.process.port())) {
      raw.send("GET " + path + " HTTP/1.1\nHost: localhost\nConnection: close\n\n");

      assertThat(raw.readToEnd())
          .startsWith("HTTP/1.1 404 ")
          .doesNotContain("secret", "outside", "root:", "C1234");
    }
  }

  @Test
  void followsNoLinks() throws IOException {
    Files.createSymbolicLink(repository.resolve(".cvmfswhitelist"), folder.resolve("outside"));
    Files.createSymbolicLink(repository.resolve("data/cd"), repository.resolve("data/ab"));
    Files.createSymbolicLink(folder.resolve("cvmfs/linked.example.org"), repository);

    assertThat(status("/cvmfs/local.example.org/.cvmfswhitelist")).isEqualTo(404);
    assertThat(status("/cvmfs/local.example.org/" + OBJECT.replace("/ab/", "/cd/"))).isEqualTo(404);
    assertThat(status("/cvmfs/linked.example.org/.cvmfspublished")).isEqualTo(404);
  }

  @Test
  void changesNothing() {
    for (String method : new String[] {"PUT", "POST", "DELETE", "PATCH"}) {
      HttpResponse<String> answer =
          gateway.send(
              gateway
                  .request("/cvmfs/local.example.org/.cvmfspublished")
                  .method(method, HttpRequest.BodyPublishers.ofString("x")));
      assertThat(answer.statusCode()).isEqualTo(405);
      assertThat(answer.headers().firstValue("Allow")).contains("GET, HEAD");
    }
  }

  @Test
  void answersManyRequestsOnOneConnectionInTheirOrder() throws IOException {
    StringBuilder requests = new StringBuilder();
    for (int i = 0; i < 50; i++) {
      String name = i % 2 == 0 ? ".cvmfspublished" : ".cvmfsreflog";
      requests.append("GET /cvmfs/local.example.org/" + name + " HTTP/1.1\nHost: x\n\n");
    }
    requests.append("GET /version HTTP/1.1\nHost: localhost\nConnection: close\n\n");

    try (RawHttp raw = new RawHttp(gateway.process.port())) {
      String answers = raw.send(requests.toString()).readToEnd();

      assertThat(answers.split("HTTP/1.1 200 OK", -1)).hasSize(27);
      assertThat(answers.split("HTTP/1.1 404 Not Found", -1)).hasSize(26);
      assertThat(answers).endsWith("}").contains("\"lamina\"");
    }
  }

  @Test
  void showsANewManifestAsSoonAsItIsSwapped() throws IOException {
    Files.createDirectories(folder.resolve("cvmfs/swapped.example.org"));
    Path manifest = folder.resolve("cvmfs/swapped.example.org/.cvmfspublished");
    Files.writeString(manifest, "C1234\n--\n");
    Path next = folder.resolve("next");
    Files.write(next, "C5678\n--\n".getBytes(StandardCharsets.UTF_8));
    assertThat(gateway.get("/cvmfs/swapped.example.org/.cvmfspublished").body())
        .startsWith("C1234");

    Files.move(
        next,
        manifest,
        java.nio.file.StandardCopyOption.ATOMIC_MOVE,
        java.nio.file.StandardCopyOption.REPLACE_EXISTING);

    assertThat(gateway.get("/cvmfs/swapped.example.org/.cvmfspublished").body())
        .startsWith("C5678");
  }

  private int status(String path) {
    return gateway.get(path).statusCode();
  }
}
