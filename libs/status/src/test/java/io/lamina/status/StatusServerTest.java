package io.lamina.status;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.lamina.status.Page.Answer;
import io.vertx.core.Vertx;
import java.io.IOException;
import java.net.BindException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

@SuppressWarnings("NullAway.Init")
class StatusServerTest {
  @TempDir Path folder;
  private final Vertx vertx = Vertx.vertx();
  private final HttpClient http = HttpClient.newHttpClient();
  private final StatusServer server =
      new StatusServer(
          vertx,
          Map.of(
              "/status",
              () -> Answer.json(200, "{}"),
              "/metrics",
              () -> Answer.metrics("up 1\n"),
              "/health/ready",
              () -> {
                throw new IOException("a secret");
              }));
  private ListenAddress address;

  @BeforeEach
  void listen() throws Exception {
    try (ServerSocket free = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      address = new ListenAddress("127.0.0.1", free.getLocalPort());
    }
    server.listen(address).get(30, TimeUnit.SECONDS);
  }

  @AfterEach
  void stop() {
    server.close();
    vertx.close().toCompletionStage().toCompletableFuture().join();
  }

  private HttpResponse<String> send(String method, String path) throws Exception {
    return http.send(
        HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + address.port() + path))
            .method(method, HttpRequest.BodyPublishers.noBody())
            .build(),
        HttpResponse.BodyHandlers.ofString());
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          /status      | 200 | application/json                         | {}
          /metrics     | 200 | text/plain; version=0.0.4; charset=utf-8 | up 1
          /health/live | 200 | application/json                         | {"status":"up"}
          """)
  void showsItsPages(String path, int code, String type, String body) throws Exception {
    HttpResponse<String> answer = send("GET", path);

    assertThat(answer.statusCode()).isEqualTo(code);
    assertThat(answer.headers().firstValue("Content-Type")).contains(type);
    assertThat(answer.headers().firstValue("Cache-Control")).contains("no-store");
    assertThat(answer.body().strip()).isEqualTo(body);
    assertThat(send("HEAD", path).statusCode()).isEqualTo(code);
  }

  @Test
  void saysWhatThereIs() throws Exception {
    HttpResponse<String> answer = send("GET", "/");

    assertThat(answer.statusCode()).isEqualTo(404);
    assertThat(answer.body()).contains("/health/live, /health/ready, /metrics, /status");
  }

  @Test
  void changesNothing() throws Exception {
    assertThat(send("POST", "/status").statusCode()).isEqualTo(405);
  }

  @Test
  void keepsToItselfWhyAPageCannotBeShown() throws Exception {
    HttpResponse<String> answer = send("GET", "/health/ready");

    assertThat(answer.statusCode()).isEqualTo(500);
    assertThat(answer.body()).contains("see the log").doesNotContain("secret");
  }

  @Test
  void saysThatItCannotListen() throws Exception {
    try (ServerSocket taken = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      ListenAddress there = new ListenAddress("127.0.0.1", taken.getLocalPort());

      assertThatThrownBy(() -> server.listen(there).get(30, TimeUnit.SECONDS))
          .hasCauseInstanceOf(BindException.class);
    }
  }

  @Test
  void servesASocketOfItsUserAloneAndRemovesIt() throws Exception {
    Path socket = folder.resolve("run/status.sock");
    Files.createDirectory(socket.getParent());
    Files.writeString(socket, "left by a process that was killed");

    server.listen(socket).get(30, TimeUnit.SECONDS);
    assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(socket)))
        .isEqualTo("rw-------");

    server.close();
    assertThat(socket).doesNotExist();
  }

  @ParameterizedTest
  @CsvSource({"127.0.0.1", ":80", "localhost:0", "localhost:65536", "localhost:http"})
  void refusesWhatIsNoAddress(String text) {
    assertThatThrownBy(() -> ListenAddress.parse(text)).hasMessageContaining("HOST:PORT");
  }
}
