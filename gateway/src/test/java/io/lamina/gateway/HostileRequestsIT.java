package io.lamina.gateway;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.net.SocketException;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Path;
import java.time.Duration;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class HostileRequestsIT {
  private static final String PATH = "/api/v1/conversions";
  private static final String GOOD = "{\"image\": \"debian\", \"repository\": \"r\"}";

  @TempDir static Path folder;
  private static TestGateway gateway;

  @BeforeAll
  static void start() {
    gateway =
        new TestGateway.Setup(folder)
            .with("gateway.limits.body", "4KiB")
            .with("gateway.limits.headers", "8KiB")
            .with("gateway.timeouts.body", "300ms")
            .with("gateway.timeouts.idle", "1s")
            .start();
  }

  @AfterAll
  static void stop() {
    gateway.close();
  }

  private static RawHttp raw() throws IOException {
    return new RawHttp(gateway.process.port());
  }

  @Test
  void refusesABodyThatIsAnnouncedTooLarge() throws IOException {
    try (RawHttp raw = raw()) {
      raw.send(
          "POST "
              + PATH
              + " HTTP/1.1\nHost: localhost\nContent-Type: application/json\n"
              + "Content-Length: 1000000000000\n\n{");

      assertThat(raw.readToEnd())
          .startsWith("HTTP/1.1 413 ")
          .contains("longer than the 4096 bytes allowed");
    }
  }

  @Test
  void refusesABodyThatTurnsOutTooLarge() throws IOException {
    try (RawHttp raw = raw()) {
      raw.send(
          "POST "
              + PATH
              + " HTTP/1.1\nHost: localhost\nContent-Type: application/json\n"
              + "Transfer-Encoding: chunked\n\n1000\n"
              + " ".repeat(4096)
              + "\n1000\n"
              + " ".repeat(4096)
              + "\n");

      assertThat(raw.readToEnd()).startsWith("HTTP/1.1 413 ");
    }
  }

  @Test
  void doesNotWaitLongForASlowBody() throws IOException {
    try (RawHttp raw = raw()) {
      raw.send(
          "POST "
              + PATH
              + " HTTP/1.1\nHost: localhost\nContent-Type: application/json\n"
              + "Content-Length: 40\n\n{\"image\"");

      assertThat(raw.readToEnd())
          .startsWith("HTTP/1.1 408 ")
          .contains("did not arrive within 300 ms");
    }
  }

  @Test
  void closesConnectionsThatSayNothing() throws IOException {
    try (RawHttp raw = raw()) {
      raw.send("GET /version HTTP/1.1\nHost: local");

      assertThat(raw.readToEnd()).isEmpty();
    }
  }

  @Test
  void doesNotWaitLongForARequestThatComesByteByByte() throws IOException {
    try (RawHttp raw = raw()) {
      raw.send("GET /version HTTP/1.1\nX-Slow: ");
      long start = System.nanoTime();
      int sent = 0;
      try {
        while (sent++ < 100_000 && !raw.isClosedWithin(Duration.ofMillis(20))) {
          raw.send("x");
        }
      } catch (SocketException e) {
        // Closed between the look and the byte.
      }

      assertThat(Duration.ofNanos(System.nanoTime() - start)).isLessThan(Duration.ofSeconds(15));
    }
  }

  @Test
  void refusesHeadersAndAddressesThatAreTooLong() throws IOException {
    try (RawHttp raw = raw()) {
      raw.send("GET /version HTTP/1.1\nHost: localhost\nX-Long: " + "x".repeat(9000) + "\n\n");
      assertThat(raw.readToEnd())
          .startsWith("HTTP/1.1 431 ")
          .contains("urn:lamina:problem:headers-too-large");
    }
    try (RawHttp raw = raw()) {
      raw.send("GET /" + "x".repeat(5000) + " HTTP/1.1\nHost: localhost\n\n");
      assertThat(raw.readToEnd()).containsPattern("^HTTP/1.[01] 414 ");
    }
  }

  @Test
  void refusesWhatIsNotHttp() throws IOException {
    try (RawHttp raw = raw()) {
      raw.send("\u0016\u0003\u0001 nonsense\n\n");

      assertThat(raw.readToEnd())
          .containsPattern("^HTTP/1.[01] 400 ")
          .contains("application/problem+json");
    }
  }

  /** Two lengths, or a length and chunks, are how requests are smuggled past a proxy. */
  @ParameterizedTest
  @ValueSource(
      strings = {
        "Content-Length: 5\nContent-Length: 6\n\nhello",
        "Content-Length: 5\nTransfer-Encoding: chunked\n\n0\n\n",
        "Content-Length: -1\n\n",
        "Transfer-Encoding: chunked, identity\n\n0\n\n",
      })
  void takesNoAmbiguousBodies(String rest) throws IOException {
    try (RawHttp raw = raw()) {
      raw.send(
          "POST " + PATH + " HTTP/1.1\nHost: localhost\nContent-Type: application/json\n" + rest);

      assertThat(raw.readToEnd()).startsWith("HTTP/1.1 4");
      assertThat(gateway.log.events()).isEmpty();
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"text/plain", "application/x-www-form-urlencoded", "multipart/form-data"})
  void takesNoBodiesThatAWebPageMaySendUnasked(String type) {
    HttpResponse<String> answer =
        gateway.send(
            gateway
                .request(PATH)
                .header("Content-Type", type)
                .POST(HttpRequest.BodyPublishers.ofString(GOOD)));

    assertThat(answer.statusCode()).as(answer.body()).isEqualTo(415);
    assertThat(gateway.log.events()).isEmpty();
  }

  @Test
  void answersToNoOtherNameThanItsOwnWithoutTokens() throws IOException {
    try (RawHttp raw = raw()) {
      raw.send(
          "GET /api/v1/repositories HTTP/1.1\nHost: rebound.example.org\nConnection: close\n\n");

      assertThat(raw.readToEnd()).startsWith("HTTP/1.1 403 ").contains("answers only to localhost");
    }
  }

  @Test
  void survivesDeepAndWideJson() {
    HttpResponse<String> deep =
        gateway.post(PATH, "{\"image\":" + "[".repeat(2000) + "]".repeat(2000) + "}");
    HttpResponse<String> wide = gateway.post(PATH, "{\"image\": 1" + "0".repeat(3000) + "}");

    assertThat(deep.statusCode()).isEqualTo(400);
    assertThat(wide.statusCode()).isEqualTo(400);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "/api/v1/conversions/..%2f..%2fhealth",
        "/api/v1/conversions/%00",
        "/api/v1/conversions/%zz",
        "/api/v1/conversions/a%0d%0ab",
        "/api/v1/conversions?limit=0",
        "/api/v1/conversions?limit=1000000",
        "/api/v1/conversions?limit=x",
        "/api/v1/conversions?state=%27",
        "/api/v1/conversions?cursor=%25",
        "/status/xyz",
        "/status/sha512:00",
        "/api/v1/nothing",
        "/../etc/passwd",
      })
  void answersNonsenseWithAProblem(String path) throws IOException {
    try (RawHttp raw = raw()) {
      raw.send("GET " + path + " HTTP/1.1\nHost: localhost\nConnection: close\n\n");

      assertThat(raw.readToEnd())
          .containsPattern("^HTTP/1.1 40[04] ")
          .contains("application/problem+json")
          .doesNotContain("Exception", "\tat ");
    }
  }

  @Test
  void saysWhichMethodsAreNotKnown() {
    HttpResponse<String> answer =
        gateway.send(
            gateway.request("/version").method("PATCH", HttpRequest.BodyPublishers.noBody()));

    assertThat(answer.statusCode()).isEqualTo(405);
    assertThat(answer.body()).contains("urn:lamina:problem:method-not-allowed");
  }

  @Test
  void offersNothingToOtherOrigins() {
    HttpResponse<String> answer =
        gateway.send(
            gateway
                .request(PATH)
                .header("Origin", "https://elsewhere.example.org")
                .method("OPTIONS", HttpRequest.BodyPublishers.noBody()));

    assertThat(answer.headers().map().keySet()).noneMatch(h -> h.startsWith("access-control-"));
    assertThat(answer.statusCode()).isEqualTo(405);
  }
}
