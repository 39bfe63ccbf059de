package io.lamina.gateway;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.lamina.gateway.problem.GatewayException;
import io.vertx.core.json.JsonObject;
import java.io.IOException;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Path;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class TokensIT {
  private static final String GOOD =
      "{\"image\": \"debian\", \"repository\": \"unpacked.example.org\"}";

  @TempDir static Path folder;
  private static TestGateway gateway;

  @BeforeAll
  static void start() throws IOException {
    gateway =
        new TestGateway.Setup(folder)
            .with("gateway.tokens.file", Tokens.file(folder).toString())
            .with(new TestGateway.InMemoryDirectory())
            .start();
    String created =
        gateway
            .post(
                "/api/v1/repositories",
                "{\"name\": \"unpacked.example.org\"}",
                "Authorization",
                "Bearer " + Tokens.OPERATOR)
            .body();
    assertThat(created).contains("unpacked.example.org");
  }

  @AfterAll
  static void stop() {
    gateway.close();
  }

  private static HttpResponse<String> call(String method, String path, String body, String token) {
    HttpRequest.Builder request =
        gateway
            .request(path)
            .header("Content-Type", "application/json")
            .method(method, HttpRequest.BodyPublishers.ofString(body));
    if (!token.isEmpty()) {
      request.header("Authorization", "Bearer " + token);
    }
    return gateway.send(request);
  }

  @ParameterizedTest
  @CsvSource({
    "GET, /api/v1/conversions, 200, 200",
    "GET, /api/v1/repositories, 200, 200",
    "GET, /metrics, 200, 200",
    "DELETE, /api/v1/conversions/none, 403, 404",
    "GET, /api/v1/dead-letters, 200, 200",
    "POST, /api/v1/dead-letters/lamina.layers-0-1/retry, 403, 403",
    "DELETE, /api/v1/dead-letters/lamina.layers-0-1, 403, 403",
    "POST, /api/v1/conversions, 403, 400",
    "POST, /api/v1/repositories, 403, 403",
    "PUT, /api/v1/uploads/x?repository=unpacked.example.org, 403, 400",
  })
  void letsEachRoleDoItsOwn(String method, String path, int reader, int submitter) {
    String body = method.equals("GET") ? "" : "{}";

    assertThat(call(method, path, body, "").statusCode()).isEqualTo(401);
    assertThat(call(method, path, body, "wrong").statusCode()).isEqualTo(401);
    assertThat(call(method, path, body, Tokens.READER).statusCode()).isEqualTo(reader);
    assertThat(call(method, path, body, Tokens.SUBMITTER).statusCode()).isEqualTo(submitter);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "/health/live",
        "/health/ready",
        "/version",
        "/openapi.json",
        "/",
        "/dashboard.js"
      })
  void asksForNoTokenWhereNothingIsSecret(String path) {
    assertThat(gateway.get(path).statusCode()).isEqualTo(200);
  }

  @Test
  void saysHowToPresentAToken() {
    HttpResponse<String> answer = gateway.get("/api/v1/conversions");

    assertThat(answer.headers().firstValue("WWW-Authenticate")).contains("Bearer realm=\"lamina\"");
    assertThat(answer.body()).contains("Authorization: Bearer TOKEN");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "/api/v1/conversions/",
        "//api/v1/conversions",
        "/api/v1/./conversions",
        "/api/v1/x/../conversions",
        "/api/v1/conversions/?a=b",
        "/api/v1/%63onversions",
        "/api/v1/conversions;a=b",
      })
  void isNotFooledByOtherSpellingsOfAnAddress(String path) throws IOException {
    try (RawHttp raw = new RawHttp(gateway.process.port())) {
      raw.send("GET " + path + " HTTP/1.1\nHost: localhost\nConnection: close\n\n");

      assertThat(raw.readToEnd()).containsPattern("^HTTP/1.1 40[14] ");
    }
  }

  @Test
  void keepsASubmitterToItsRepositories() {
    HttpResponse<String> foreign =
        call("POST", "/api/v1/conversions", GOOD.replace("unpacked", "other"), Tokens.SUBMITTER);
    HttpResponse<String> own = call("POST", "/api/v1/conversions", GOOD, Tokens.SUBMITTER);

    assertThat(foreign.statusCode()).as(foreign.body()).isIn(403, 404);
    assertThat(own.statusCode()).as(own.body()).isEqualTo(202);
    assertThat(
            new JsonObject(call("GET", "/api/v1/repositories", "", Tokens.SUBMITTER).body())
                .getJsonArray("items"))
        .hasSize(1);
  }

  @Test
  void doesNotReadTheBodyOfWhoMayNotSendIt() throws IOException {
    try (RawHttp raw = new RawHttp(gateway.process.port())) {
      raw.send(
          "PUT /api/v1/uploads/sha256:"
              + "a".repeat(64)
              + "?repository=unpacked.example.org HTTP/1.1\nHost: localhost\n"
              + "Content-Length: 1000000000\nExpect: 100-continue\n\n");

      assertThat(raw.readToEnd()).startsWith("HTTP/1.1 401 ");
    }
  }

  @Test
  void doesNotStartWithATokenFileItCannotRead() {
    TestGateway.Setup setup =
        new TestGateway.Setup(folder).with("gateway.tokens.file", "/nonexistent/tokens.json");

    assertThatThrownBy(setup::start)
        .isInstanceOf(GatewayException.Fatal.class)
        .hasMessageContaining("cannot read token file /nonexistent/tokens.json");
  }
}
