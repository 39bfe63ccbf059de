package io.lamina.gateway;

import static org.assertj.core.api.Assertions.assertThat;

import io.lamina.fuzzing.FuzzTarget;
import io.lamina.fuzzing.Fuzzer;
import io.lamina.gateway.webhook.Deliveries;
import io.vertx.core.json.JsonObject;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Bodies of requests as anybody who reaches the port may write them. */
@Timeout(86_400)
class RequestFuzzIT {
  private static final List<String> SAMPLES =
      List.of(
          """
          {"image": "debian:12", "repository": "unpacked.example.org", "priority": "bulk",
           "platforms": ["linux/amd64", "linux/arm64/v8"], "thin": "registry.example.org/thin:12"}""",
          "{\"repository\": \"unpacked.example.org\", \"digest\": \"sha256:"
              + "ab".repeat(32)
              + "\", \"sizeBytes\": 100, \"diffId\": \"sha256:"
              + "cd".repeat(32)
              + "\", \"mediaType\": \"application/vnd.oci.image.layer.v1.tar+gzip\"}",
          "{\"repository\": \"unpacked.example.org\", \"image\": \"debian:*\", \"keepTrees\": true}",
          "{\"name\": \"unpacked.example.org\"}",
          Deliveries.DISTRIBUTION,
          Deliveries.HARBOR_CLOUD_EVENT);

  @TempDir Path folder;

  @ParameterizedTest
  @CsvSource({
    "conversions",
    "diff-commits",
    "removals",
    "repositories",
    "webhooks/distribution",
    "webhooks/harbor"
  })
  void answersWithAProblemAndNeverFails(String path) {
    try (TestGateway gateway =
        new TestGateway.Setup(folder).with(Deliveries.settings(folder)).start()) {
      FuzzTarget target =
          new FuzzTarget(
              "HTTP body of " + path,
              body -> post(gateway, "/api/v1/" + path, body),
              Set.of(),
              SAMPLES.stream().map(RequestFuzzIT::utf8).toList(),
              Stream.of(
                      "{",
                      "[",
                      "null",
                      "true",
                      "1e999",
                      "\\u0000",
                      "\\ud800",
                      "\"thin\":",
                      "/../",
                      "@sha256:",
                      "docker://",
                      "oci:/etc",
                      "\ufeff")
                  .map(RequestFuzzIT::utf8)
                  .toList(),
              UnaryOperator.identity(),
              new FuzzTarget.Limits(64 << 20, 400, 1, 0));

      Fuzzer.Report report = Fuzzer.run(target, Fuzzer.seed(), Fuzzer.Until.standard(300));

      System.out.println(report);
      assertThat(gateway.get("/health/live").statusCode()).isEqualTo(200);
    }
  }

  /** 1 for what was accepted. */
  private static long post(TestGateway gateway, String path, byte[] body) {
    HttpResponse<String> answer =
        gateway.send(
            gateway
                .request(path)
                .header("Content-Type", "application/json")
                .header("Authorization", "Bearer " + Deliveries.SECRET)
                .POST(HttpRequest.BodyPublishers.ofByteArray(body)));
    if (answer.statusCode() < 300) {
      return 1;
    }
    // 501: this gateway makes no repositories.
    assertThat(answer.statusCode()).as(answer.body()).isIn(400, 403, 408, 409, 413, 429, 501);
    JsonObject problem = new JsonObject(answer.body());
    assertThat(problem.getString("type")).startsWith("urn:lamina:problem:");
    assertThat(problem.getString("detail")).hasSizeLessThan(2000);
    return 0;
  }

  private static byte[] utf8(String text) {
    return text.getBytes(StandardCharsets.UTF_8);
  }
}
