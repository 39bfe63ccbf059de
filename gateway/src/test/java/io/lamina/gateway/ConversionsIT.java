package io.lamina.gateway;

import static org.assertj.core.api.Assertions.assertThat;

import io.lamina.messaging.event.Event;
import io.vertx.core.json.JsonObject;
import java.net.http.HttpResponse;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ConversionsIT {
  private static final String BODY =
      """
      {"image": "debian:12", "repository": "unpacked.example.org"}""";

  @TempDir Path folder;

  @Test
  void acceptsAConversionOnceItIsInTheLog() {
    try (TestGateway gateway = new TestGateway.Setup(folder).start()) {
      HttpResponse<String> answer = gateway.post("/api/v1/conversions", BODY);

      assertThat(answer.body()).contains("accepted");
      assertThat(answer.statusCode()).isEqualTo(202);
      JsonObject request = new JsonObject(answer.body());
      String location = answer.headers().firstValue("Location").orElseThrow();
      assertThat(location).isEqualTo("/api/v1/conversions/" + request.getString("id"));
      assertThat(gateway.get(location).body()).contains("docker://docker.io/library/debian:12");
      assertThat(gateway.log.events())
          .extracting(e -> e.getClass().getSimpleName())
          .containsExactly("RequestStatus", "ConversionRequested");
      assertThat(gateway.log.events().get(1))
          .isInstanceOfSatisfying(
              Event.ConversionRequested.class,
              c ->
                  assertThat(c.platforms())
                      .extracting(Object::toString)
                      .containsExactly("linux/amd64"));
    }
  }
}
