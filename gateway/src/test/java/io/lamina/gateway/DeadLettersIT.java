package io.lamina.gateway;

import static org.assertj.core.api.Assertions.assertThat;

import io.vertx.core.json.JsonObject;
import java.io.IOException;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Path;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Dead letters as callers see them. */
@Timeout(60)
@SuppressWarnings("NullAway.Init")
class DeadLettersIT {
  private static final String PATH = "/api/v1/dead-letters";

  @TempDir Path folder;
  private TestGateway gateway;

  @BeforeEach
  void start() throws IOException {
    gateway =
        new TestGateway.Setup(folder)
            .with("gateway.tokens.file", Tokens.file(folder).toString())
            .start();
  }

  @AfterEach
  void stop() {
    gateway.close();
  }

  private HttpResponse<String> call(String method, String path, String token) {
    return gateway.send(
        gateway
            .request(path)
            .header("Authorization", "Bearer " + token)
            .method(method, HttpRequest.BodyPublishers.noBody()));
  }

  @Test
  void listsPageByPage() {
    JsonObject first = new JsonObject(call("GET", PATH + "?limit=1", Tokens.OPERATOR).body());
    assertThat(first.getJsonArray("items").getJsonObject(0).getString("id"))
        .isEqualTo(InMemoryLetters.UNREADABLE);
    JsonObject second =
        new JsonObject(
            call("GET", PATH + "?limit=1&cursor=" + first.getString("next"), Tokens.OPERATOR)
                .body());
    assertThat(second.getJsonArray("items").getJsonObject(0).getString("id"))
        .isEqualTo(InMemoryLetters.READABLE);
    JsonObject third =
        new JsonObject(
            call("GET", PATH + "?limit=1&cursor=" + second.getString("next"), Tokens.OPERATOR)
                .body());
    assertThat(third.getJsonArray("items")).isEmpty();
    assertThat(third.containsKey("next")).isFalse();
  }

  @Test
  void showsARecordAsJsonOrAsBytes() {
    JsonObject readable =
        new JsonObject(call("GET", PATH + "/" + InMemoryLetters.READABLE, Tokens.OPERATOR).body());
    assertThat(readable.getJsonObject("event").getString("request")).isEqualTo("r");
    assertThat(readable.getString("message")).isEqualTo("broken");
    JsonObject unreadable =
        new JsonObject(
            call("GET", PATH + "/" + InMemoryLetters.UNREADABLE, Tokens.OPERATOR).body());
    assertThat(new String(unreadable.getBinary("value"))).isEqualTo("no event");
    assertThat(unreadable.getBoolean("valueIsCut")).isFalse();
  }

  @Test
  void hidesWhatCannotBeReadFromTokensForSomeRepositories() {
    assertThat(call("GET", PATH, Tokens.SUBMITTER).body())
        .contains(InMemoryLetters.READABLE)
        .doesNotContain(InMemoryLetters.UNREADABLE);
    assertThat(call("GET", PATH + "/" + InMemoryLetters.UNREADABLE, Tokens.SUBMITTER).statusCode())
        .isEqualTo(404);
  }

  @Test
  void settlesALetterOnceAndSaysTheSameAgain() {
    String retry = PATH + "/" + InMemoryLetters.READABLE + "/retry";
    HttpResponse<String> first = call("POST", retry, Tokens.OPERATOR);
    HttpResponse<String> again = call("POST", retry, Tokens.OPERATOR);

    assertThat(first.statusCode()).as(first.body()).isEqualTo(200);
    assertThat(again.body()).isEqualTo(first.body()).contains("retried");
    HttpResponse<String> drop =
        call("DELETE", PATH + "/" + InMemoryLetters.READABLE, Tokens.OPERATOR);
    assertThat(drop.statusCode()).isEqualTo(409);
    assertThat(drop.body()).contains("was retried before");
  }
}
