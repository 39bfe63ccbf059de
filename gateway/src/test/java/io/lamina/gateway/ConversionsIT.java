package io.lamina.gateway;

import static org.assertj.core.api.Assertions.assertThat;

import io.lamina.cvmfs.RepositoryName;
import io.lamina.gateway.request.Statuses;
import io.lamina.messaging.event.Event;
import io.lamina.messaging.event.Event.RequestStatus;
import io.lamina.messaging.event.Event.RequestStatus.State;
import io.lamina.messaging.event.WorkKey;
import io.vertx.core.json.JsonObject;
import java.net.http.HttpResponse;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ConversionsIT {
  private static final String PATH = "/api/v1/conversions";
  private static final String BODY =
      """
      {"image": "debian:12", "repository": "unpacked.example.org"}""";

  @TempDir Path folder;
  @RegisterExtension final TestGateways gateways = new TestGateways();

  private TestGateway start() {
    return gateways.start(new TestGateway.Setup(folder));
  }

  @Test
  void acceptsAConversionOnceItIsInTheLog() {
    TestGateway gateway = start();

    HttpResponse<String> answer =
        gateway.post(
            PATH,
            """
            {"image": "debian:12", "repository": "unpacked.example.org",
             "platforms": ["linux/amd64", "linux/arm64/v8"], "thin": "registry.example.org/thin:12"}""");

    assertThat(answer.statusCode()).as(answer.body()).isEqualTo(202);
    JsonObject request = new JsonObject(answer.body());
    String location = answer.headers().firstValue("Location").orElseThrow();
    assertThat(location).isEqualTo(PATH + "/" + request.getString("id"));
    assertThat(new JsonObject(gateway.get(location).body()).getString("image"))
        .isEqualTo("docker://docker.io/library/debian:12");
    assertThat(gateway.log.events().getFirst()).isInstanceOf(RequestStatus.class);
    assertThat(gateway.log.events().get(1))
        .isInstanceOfSatisfying(
            Event.ConversionRequested.class,
            c -> {
              assertThat(c.platforms())
                  .extracting(Object::toString)
                  .containsExactly("linux/amd64", "linux/arm64/v8");
              assertThat(c.thinTarget()).contains("docker://registry.example.org/thin:12");
            });
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "quay.io/bad/app:1 | registry.example.org/thin/app:1 | images of quay.io/bad/app are denied",
        "docker.io/team/app:1 | registry.example.org/thin/app:1 | images of docker.io/team/app are not",
        "quay.io/good/app:1 | docker.io/team/app:1 | thin images may not be pushed to docker.io/team",
        "quay.io/good/app:1 | registry.example.org/app:1 | thin images may not be pushed to registry",
      })
  void refusesAtOnceWhatThePolicyForbids(String image, String thin, String reason) {
    TestGateway gateway =
        gateways.start(
            new TestGateway.Setup(folder)
                .with("images.allow", "quay.io")
                .with("images.deny", "quay.io/bad/**")
                .with("thin.allow", "registry.example.org/thin/*"));
    JsonObject body =
        new JsonObject().put("repository", "unpacked.example.org").put("image", image);

    HttpResponse<String> refused = gateway.post(PATH, body.put("thin", thin).encode());

    assertThat(refused.statusCode()).isEqualTo(403);
    assertThat(refused.body()).contains("urn:lamina:problem:forbidden", reason);
    assertThat(gateway.log.events()).isEmpty();
    String good =
        body.put("image", "quay.io/good/app:1")
            .put("thin", "registry.example.org/thin/app:1")
            .encode();
    assertThat(gateway.post(PATH, good).statusCode()).isEqualTo(202);
  }

  @Test
  void convertsForLinuxOnAmd64UnlessToldOtherwise() {
    TestGateway gateway = start();

    gateway.post(PATH, BODY);

    assertThat(((Event.ConversionRequested) gateway.log.events().get(1)).platforms())
        .extracting(Object::toString)
        .containsExactly("linux/amd64");
  }

  @Test
  void repeatsTheAnswerUnderTheSameKeyAcrossARestart() {
    TestGateway first = start();
    String id = id(first.post(PATH, BODY, "Idempotency-Key", "night:2026-11-22"));
    TestGateway second = gateways.start(new TestGateway.Setup(folder).on(first.log));

    HttpResponse<String> again = second.post(PATH, BODY, "Idempotency-Key", "night:2026-11-22");
    HttpResponse<String> other =
        second.post(PATH, BODY.replace("debian", "alpine"), "Idempotency-Key", "night:2026-11-22");

    assertThat(id(again)).isEqualTo(id);
    assertThat(again.headers().firstValue("Idempotency-Replayed")).contains("true");
    assertThat(other.statusCode()).isEqualTo(422);
    assertThat(other.body()).contains("urn:lamina:problem:idempotency-key-reused", id);
  }

  @Test
  void knowsEveryRequestAfterARestart() {
    TestGateway first = start();
    String id = id(first.post(PATH, BODY));
    RequestStatus status = (RequestStatus) first.log.events().getFirst();
    first.log.say(
        Statuses.with(status, State.PLANNED, new WorkKey(WorkKey.Kind.LAYER, Statuses.LAYER_A)));
    first.log.say(Statuses.progress(Statuses.LAYER_A, 30, 40));

    TestGateway second = gateways.start(new TestGateway.Setup(folder).on(first.log));

    JsonObject request = new JsonObject(second.get(PATH + "/" + id).body());
    assertThat(request.getString("state")).isEqualTo("planned");
    assertThat(request.getJsonObject("progress"))
        .isEqualTo(
            new JsonObject()
                .put("layersDone", 0)
                .put("layersTotal", 1)
                .put("bytesDone", 30)
                .put("bytesTotal", 40));
    assertThat(request.getJsonArray("work").getJsonObject(0).getString("id"))
        .isEqualTo(Statuses.LAYER_A);
    assertThat(second.get("/status/" + Statuses.LAYER_A).body()).isEqualTo("publishing");
    assertThat(second.get("/status/sha256:" + Statuses.LAYER_B).body()).isEqualTo("unknown");
    first.log.say(
        Statuses.with(status, State.DONE, new WorkKey(WorkKey.Kind.LAYER, Statuses.LAYER_A)));
    assertThat(second.get("/status/" + Statuses.LAYER_A).body()).isEqualTo("done");
  }

  @Test
  void listsInPagesByStateAndRepository() {
    TestGateway gateway = start();
    List<String> ids = new ArrayList<>();
    for (int i = 0; i < 5; i++) {
      ids.add(id(gateway.post(PATH, BODY)));
    }
    gateway.post(PATH, BODY.replace("unpacked", "other"));
    gateway.log.say(Statuses.with((RequestStatus) gateway.log.events().getFirst(), State.FAILED));

    String list = PATH + "?limit=2&state=accepted&repository=unpacked.example.org";
    JsonObject first = new JsonObject(gateway.get(list).body());
    JsonObject second =
        new JsonObject(gateway.get(list + "&cursor=" + first.getString("next")).body());

    assertThat(idsOf(first)).containsExactly(ids.get(4), ids.get(3));
    assertThat(idsOf(second)).containsExactly(ids.get(2), ids.get(1));
    assertThat(second.getString("next")).isNull();
    assertThat(gateway.get(PATH + "?cursor=bm9uZQ").statusCode()).isEqualTo(400);
  }

  @Test
  void cancelsUntilItIsTooLate() {
    TestGateway gateway = start();
    String path = PATH + "/" + id(gateway.post(PATH, BODY));

    HttpResponse<String> cancelled = gateway.delete(path);
    assertThat(cancelled.statusCode()).isEqualTo(202);
    assertThat(gateway.log.events().getLast()).isInstanceOf(Event.CancelRequested.class);

    gateway.log.say(
        Statuses.with((RequestStatus) gateway.log.events().getFirst(), State.CANCELLED));
    HttpResponse<String> again = gateway.delete(path);
    assertThat(again.statusCode()).isEqualTo(409);
    assertThat(again.body()).contains("is cancelled and cannot be cancelled any more");
    assertThat(gateway.delete(PATH + "/nobody").statusCode()).isEqualTo(404);
  }

  @Test
  void refusesMoreThanTheBacklog() {
    TestGateway gateway =
        gateways.start(new TestGateway.Setup(folder).with("gateway.limits.backlog", "2"));
    gateway.post(PATH, BODY);
    gateway.post(PATH, BODY);

    HttpResponse<String> third = gateway.post(PATH, BODY);

    assertThat(third.statusCode()).isEqualTo(429);
    assertThat(third.headers().firstValue("Retry-After")).contains("10");
    assertThat(third.body()).contains("2 requests are unfinished, the bound is 2");
  }

  @Test
  void takesNoWorkBeforeItHasReadTheStatuses() {
    TestGateway gateway = gateways.start(new TestGateway.Setup(folder).heldBack());

    HttpResponse<String> early = gateway.post(PATH, BODY);
    assertThat(early.statusCode()).isEqualTo(503);
    assertThat(early.headers().firstValue("Retry-After")).isPresent();
    assertThat(gateway.get("/health/ready").statusCode()).isEqualTo(503);
    assertThat(gateway.get("/health/live").statusCode()).isEqualTo(200);

    gateway.feed.catchUp();
    assertThat(gateway.post(PATH, BODY).statusCode()).isEqualTo(202);
    assertThat(gateway.get("/health/ready").statusCode()).isEqualTo(200);
  }

  @Test
  void answers503WhenTheLogCannotBeReached() {
    TestGateway gateway = start();
    gateway.log.breakDown();

    HttpResponse<String> answer = gateway.post(PATH, BODY);

    assertThat(answer.statusCode()).isEqualTo(503);
    assertThat(answer.body()).contains("the log cannot be reached; try again later");
  }

  @Test
  void passesTheTraceFromTheHeaderToTheLogAndBack() {
    TestGateway gateway = start();
    String trace = "4bf92f3577b34da6a3ce929d0e0e4736";

    HttpResponse<String> answer =
        gateway.post(PATH, BODY, "traceparent", "00-" + trace + "-00f067aa0ba902b7-01");

    assertThat(gateway.log.traces().getFirst().traceId()).isEqualTo(trace);
    assertThat(answer.headers().firstValue("traceparent").orElseThrow())
        .isEqualTo(gateway.log.traces().getFirst().traceparent());
  }

  @Test
  void tellsAtOnceIfTheRepositoryIsMissingWhereItCanKnow() {
    TestGateway.InMemoryDirectory directory = new TestGateway.InMemoryDirectory();
    TestGateway gateway = gateways.start(new TestGateway.Setup(folder).with(directory));

    HttpResponse<String> missing = gateway.post(PATH, BODY);
    assertThat(missing.statusCode()).isEqualTo(404);
    assertThat(missing.body()).contains("lamina repo create unpacked.example.org");

    directory.create(new RepositoryName("unpacked.example.org"));
    assertThat(gateway.post(PATH, BODY).statusCode()).isEqualTo(202);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      value = {
        "{\"imge\": \"a\", \"repository\": \"r\"} | 400 | unknown field 'imge'; did you mean 'image'?",
        "{\"image\": \"a\"} | 400 | repository",
        "{\"image\": \"a\", \"repository\": \"../etc\"} | 400 | repository",
        "{\"image\": 7, \"repository\": \"r\"} | 400 | Instance type number is invalid. Expected string at #/image",
        "{\"image\": \"\", \"repository\": \"r\"} | 400 | image",
        "{\"image\": \"UPPER/case\", \"repository\": \"r\"} | 400 | UPPER/case",
        "{\"image\": \"oci:/etc\", \"repository\": \"r\"} | 400 | gateway.images.local",
        "{\"image\": \"docker-archive:/x.tar\", \"repository\": \"r\"} | 400 | push the image to a registry",
        "{\"image\": \"a\", \"repository\": \"r\", \"platforms\": []} | 400 | platforms",
        "{\"image\": \"a\", \"repository\": \"r\", \"platforms\": [\"linux\"]} | 400 | platforms",
        "{\"image\": \"a\", \"repository\": \"r\", \"thin\": \"oci:/x\"} | 400 | no place for a thin image",
        "[] | 400 | JSON object",
        "{ | 400 | not a JSON object",
        "`` | 400 | body",
        "null | 400 | body",
      })
  void refusesBadRequestsSayingWhatIsWrong(String body, int status, String detail) {
    TestGateway gateway = start();

    HttpResponse<String> answer = gateway.post(PATH, body);

    assertThat(answer.statusCode()).as(answer.body()).isEqualTo(status);
    assertThat(answer.headers().firstValue("Content-Type")).contains("application/problem+json");
    assertThat(new JsonObject(answer.body()).getString("detail")).contains(detail);
    assertThat(gateway.log.events()).isEmpty();
  }

  @Test
  void takesLocalImagesWhereItIsAllowed() {
    TestGateway gateway =
        gateways.start(new TestGateway.Setup(folder).with("gateway.images.local", "true"));

    HttpResponse<String> answer =
        gateway.post(PATH, "{\"image\": \"oci:/srv/image:demo\", \"repository\": \"r\"}");

    assertThat(answer.statusCode()).as(answer.body()).isEqualTo(202);
  }

  private static String id(HttpResponse<String> answer) {
    assertThat(answer.statusCode()).as(answer.body()).isEqualTo(202);
    return new JsonObject(answer.body()).getString("id");
  }

  private static List<String> idsOf(JsonObject page) {
    return page.getJsonArray("items").stream().map(i -> ((JsonObject) i).getString("id")).toList();
  }
}
