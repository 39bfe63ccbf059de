package io.lamina.gateway.http;

import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;

import io.lamina.cvmfs.RepositoryName;
import io.lamina.gateway.InMemoryLetters;
import io.lamina.gateway.TestGateway;
import io.lamina.gateway.access.TokenHashes;
import io.lamina.gateway.request.Statuses;
import io.lamina.gateway.webhook.Deliveries;
import io.lamina.messaging.event.Event.RequestStatus.State;
import io.lamina.messaging.event.WorkKey;
import io.lamina.storage.InMemoryObjectStore;
import io.vertx.core.Vertx;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.json.JsonObject;
import io.vertx.openapi.contract.Operation;
import io.vertx.openapi.validation.ResponseValidator;
import io.vertx.openapi.validation.ValidatableResponse;
import java.io.InputStream;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.io.TempDir;

/** The document is true: every operation is called, and answers as it says. */
class ContractIT {
  private static final String LAYER = "hello layer";
  private static final String DIGEST = "sha256:" + TokenHashes.sha256(LAYER);
  private static final String OTHER_DIGEST = "sha256:" + TokenHashes.sha256("nobody sent this");
  private static final String REPOSITORY = Statuses.REPOSITORY.value();

  private static final String SECRET = "?token=" + Deliveries.SECRET.replace(" ", "%20");

  /** A call of an operation; {@code {}} in the path is replaced by the path parameter. */
  private record Call(String operation, String path, String body, int status) {}

  private static final List<Call> CALLS =
      List.of(
          new Call("createRepository", "", "{\"name\": \"new.example.org\"}", 201),
          new Call("createRepository", "", "{\"name\": \"new.example.org\"}", 409),
          new Call("createRepository", "", "{\"nam\": \"x\"}", 400),
          new Call("listRepositories", "", "", 200),
          new Call("readRepository", REPOSITORY, "", 200),
          new Call("readRepository", "none.example.org", "", 404),
          new Call("createConversion", "", conversion("debian"), 202),
          new Call("createConversion", "", conversion(":"), 400),
          new Call("listConversions", "", "", 200),
          new Call("listConversions", "?limit=1&state=planned", "", 200),
          new Call("listConversions", "?limit=0", "", 400),
          new Call("readConversion", "planned", "", 200),
          new Call("readConversion", "none", "", 404),
          new Call("cancelConversion", "planned", "", 202),
          new Call("cancelConversion", "final", "", 409),
          new Call("followConversion", "final", "", 200),
          new Call("followConversion", "none", "", 404),
          new Call("uploadLayer", DIGEST + "?repository=" + REPOSITORY, LAYER, 201),
          new Call("uploadLayer", DIGEST + "?repository=" + REPOSITORY, LAYER, 200),
          new Call("uploadLayer", DIGEST + "?repository=none.example.org", LAYER, 404),
          new Call("readUpload", DIGEST + "?repository=" + REPOSITORY, "", 200),
          new Call("readUpload", OTHER_DIGEST + "?repository=" + REPOSITORY, "", 404),
          new Call("createDiffCommit", "", diffCommit(DIGEST), 202),
          new Call("createDiffCommit", "", diffCommit("sha256:0"), 400),
          new Call("listDiffCommits", "?repository=" + REPOSITORY, "", 200),
          new Call("readDiffCommit", "diff", "", 200),
          new Call("readDiffCommit", "planned", "", 404),
          new Call("cancelDiffCommit", "diff", "", 202),
          new Call("followDiffCommit", "final-diff", "", 200),
          new Call("createRemoval", "", removal("\"image\": \"debian:12\""), 202),
          new Call("createRemoval", "", removal("\"image\": \"debian:*\""), 202),
          new Call("createRemoval", "", removal("\"all\": true, \"keepTrees\": true"), 202),
          new Call("createRemoval", "", removal("\"all\": true, \"image\": \"a\""), 400),
          new Call("createRemoval", "", removal("\"keepTrees\": true"), 400),
          new Call("createRemoval", "", removal("\"image\": \"debian:12:*\""), 400),
          new Call("createRemoval", "", removal("\"image\": \"r/*\", \"keepLast\": 3"), 202),
          new Call("createRemoval", "", removal("\"all\": true, \"newerThan\": 60"), 202),
          new Call("createRemoval", "", removal("\"newerThan\": 60"), 400),
          new Call("createRemoval", "", removal("\"all\": true, \"keepLast\": 0"), 400),
          new Call("createRemoval", "", removal("\"all\": true, \"dryRun\": true"), 400),
          new Call("listRemovals", "?repository=" + REPOSITORY, "", 200),
          new Call("readRemoval", "removal", "", 200),
          new Call("readRemoval", "planned", "", 404),
          new Call("cancelRemoval", "removal", "", 202),
          new Call("followRemoval", "final-removal", "", 200),
          new Call("createCollection", "", removal("\"dryRun\": true"), 202),
          new Call("createCollection", "", removal("\"dryRun\": 1"), 400),
          new Call("listCollections", "?repository=" + REPOSITORY, "", 200),
          new Call("readCollection", "collection", "", 200),
          new Call("readCollection", "planned", "", 404),
          new Call("cancelCollection", "collection", "", 202),
          new Call("followCollection", "final-collection", "", 200),
          new Call("followAll", "", "", 200),
          new Call("listDeadLetters", "", "", 200),
          new Call("listDeadLetters", "?limit=1&topic=lamina.layers", "", 200),
          new Call("listDeadLetters", "?cursor=x", "", 400),
          new Call("readDeadLetter", InMemoryLetters.READABLE, "", 200),
          new Call("readDeadLetter", InMemoryLetters.UNREADABLE, "", 200),
          new Call("readDeadLetter", "lamina.layers-0-999", "", 404),
          new Call("readDeadLetter", "nonsense", "", 400),
          new Call("retryDeadLetter", InMemoryLetters.READABLE, "", 200),
          new Call("retryDeadLetter", InMemoryLetters.READABLE, "", 200),
          new Call("dropDeadLetter", InMemoryLetters.READABLE, "", 409),
          new Call("dropDeadLetter", InMemoryLetters.UNREADABLE, "", 200),
          new Call("retryDeadLetter", InMemoryLetters.UNREADABLE, "", 409),
          new Call("retryDeadLetter", "lamina.layers-0-999", "", 404),
          new Call("receiveWebhook", "quay" + SECRET, Deliveries.QUAY, 202),
          new Call("receiveWebhook", "quay" + SECRET, Deliveries.QUAY, 202),
          new Call("receiveWebhook", "quay" + SECRET, "{}", 200),
          new Call("receiveWebhook", "quay" + SECRET, "{", 400),
          new Call("receiveWebhook", "quay", Deliveries.QUAY, 401),
          new Call("receiveWebhook", "none" + SECRET, Deliveries.QUAY, 401),
          new Call("layerStatus", DIGEST, "", 200),
          new Call("layerStatus", "0", "", 400),
          new Call("live", "", "", 200),
          new Call("ready", "", "", 200),
          new Call("metrics", "", "", 200),
          new Call("version", "", "", 200),
          new Call("openapiJson", "", "", 200),
          new Call("openapiYaml", "", "", 200));

  @TempDir static Path folder;
  private static Vertx vertx;
  private static TestGateway gateway;
  private static Contract contract;

  @BeforeAll
  static void start() throws Exception {
    vertx = Vertx.vertx();
    contract = Waiting.on(Contract.load(vertx), Duration.ofSeconds(60));
    TestGateway.InMemoryDirectory directory = new TestGateway.InMemoryDirectory();
    directory.create(Statuses.REPOSITORY);
    InMemoryObjectStore store = new InMemoryObjectStore(Clock.systemUTC());
    gateway =
        new TestGateway.Setup(folder)
            .with(directory)
            .with(Deliveries.settings(folder))
            .with("gateway.webhook.quay.authentication", "query")
            .with(
                (RepositoryName name) ->
                    name.equals(Statuses.REPOSITORY) ? Optional.of(store) : Optional.empty())
            .start();
    gateway.log.say(
        Statuses.with(
            Statuses.conversion("planned", State.ACCEPTED, Statuses.at(1)),
            State.PLANNED,
            new WorkKey(WorkKey.Kind.LAYER, Statuses.LAYER_A)));
    gateway.log.say(Statuses.progress(Statuses.LAYER_A, 1, 2));
    gateway.log.say(Statuses.conversion("final", State.DONE, Statuses.at(2)));
    gateway.log.say(Statuses.diffCommit("diff", Statuses.LAYER_B, State.PLANNED, Statuses.at(3)));
    gateway.log.say(
        Statuses.diffCommit("final-diff", Statuses.LAYER_A, State.FAILED, Statuses.at(4)));
    gateway.log.say(Statuses.removal("removal", State.ACCEPTED, Statuses.at(5)));
    gateway.log.say(Statuses.removal("final-removal", State.DONE, Statuses.at(6)));
    gateway.log.say(Statuses.collection("collection", State.ACCEPTED, Statuses.at(7)));
    gateway.log.say(Statuses.collection("final-collection", State.DONE, Statuses.at(8)));
  }

  @AfterAll
  static void stop() {
    gateway.close();
    vertx.close();
  }

  @Test
  void callsEveryOperationOfTheDocument() {
    assertThat(CALLS.stream().map(Call::operation).collect(Collectors.toSet()))
        .containsExactlyInAnyOrderElementsOf(
            contract.parsed().operations().stream().map(Operation::getOperationId).toList());
  }

  @Test
  void servesTheDocumentThatTheRoutesAreMadeOf() {
    assertThat(new JsonObject(gateway.get("/openapi.json").body()))
        .isEqualTo(contract.json().toJsonObject());
    assertThat(gateway.get("/openapi.yaml").body()).isEqualTo(contract.yaml().toString());
    assertThat(contract.json().toJsonObject().getString("openapi")).isEqualTo("3.1.0");
  }

  @TestFactory
  Stream<DynamicTest> answersAsTheDocumentSays() {
    return CALLS.stream()
        .map(
            call ->
                DynamicTest.dynamicTest(
                    call.operation() + " " + call.path() + " " + call.status(), () -> check(call)));
  }

  private static void check(Call call) throws Exception {
    Operation operation = contract.parsed().operation(call.operation());
    boolean isUpload = call.operation().equals("uploadLayer");
    HttpRequest.Builder request =
        gateway
            .request(path(operation, call.path()))
            .method(
                operation.getHttpMethod().name(),
                call.body().isEmpty()
                    ? HttpRequest.BodyPublishers.noBody()
                    : HttpRequest.BodyPublishers.ofString(call.body()))
            .header("Content-Type", isUpload ? "application/octet-stream" : "application/json");
    Answer answer = call.operation().equals("followAll") ? firstPart(request) : whole(request);

    assertThat(answer.status()).as(answer.body()).isEqualTo(call.status());
    JsonObject responses =
        contract
            .json()
            .toJsonObject()
            .getJsonObject("paths")
            .getJsonObject(operation.getOpenAPIPath())
            .getJsonObject(operation.getHttpMethod().name().toLowerCase(java.util.Locale.ROOT))
            .getJsonObject("responses");
    boolean isDeclared = responses.containsKey(Integer.toString(call.status()));
    assertThat(isDeclared)
        .as("successes are declared one by one, problems by the default")
        .isEqualTo(call.status() < 400);
    String type = answer.type().split(";", 2)[0];
    assertThat(declaredTypes(responses, isDeclared ? "" + call.status() : "default"))
        .contains(type);
    if (type.equals("text/event-stream") || type.equals("application/yaml")) {
      return;
    }
    if (type.equals("text/plain")) {
      // The validator of answers knows JSON only.
      var schema =
          requireNonNull(operation.getResponse(call.status()).getContent().get(type)).getSchema();
      assertThat(
              contract
                  .parsed()
                  .getSchemaRepository()
                  .validator(schema)
                  .validate(answer.body())
                  .getValid())
          .isTrue();
      return;
    }
    String parsedType = type.equals("application/problem+json") ? "application/json" : type;
    Waiting.on(
        ResponseValidator.create(vertx, contract.parsed())
            .validate(
                ValidatableResponse.create(
                    call.status(), Map.of(), Buffer.buffer(answer.body()), parsedType),
                call.operation()),
        Duration.ofSeconds(10));
  }

  private record Answer(int status, String type, String body) {}

  private static Answer whole(HttpRequest.Builder request) {
    HttpResponse<String> response = gateway.send(request);
    return new Answer(
        response.statusCode(),
        response.headers().firstValue("Content-Type").orElse(""),
        response.body());
  }

  /** Of a stream that does not end. */
  private static Answer firstPart(HttpRequest.Builder request) throws Exception {
    try (HttpClient client = HttpClient.newHttpClient()) {
      HttpResponse<InputStream> response =
          client
              .sendAsync(request.build(), HttpResponse.BodyHandlers.ofInputStream())
              .get(10, TimeUnit.SECONDS);
      try (InputStream in = response.body()) {
        return new Answer(
            response.statusCode(),
            response.headers().firstValue("Content-Type").orElse(""),
            new String(in.readNBytes(10), StandardCharsets.UTF_8));
      }
    }
  }

  private static List<String> declaredTypes(JsonObject responses, String key) {
    JsonObject response = responses.getJsonObject(key);
    String ref = response.getString("$ref");
    if (ref != null) {
      response =
          contract
              .json()
              .toJsonObject()
              .getJsonObject("components")
              .getJsonObject("responses")
              .getJsonObject(ref.substring(ref.lastIndexOf('/') + 1));
    }
    return new ArrayList<>(response.getJsonObject("content").fieldNames());
  }

  private static String path(Operation operation, String parameter) {
    String path = operation.getOpenAPIPath();
    return path.contains("{")
        ? path.replaceAll("\\{[a-z]+}", parameter.split("\\?", 2)[0])
            + (parameter.contains("?") ? parameter.substring(parameter.indexOf('?')) : "")
        : path + parameter;
  }

  private static String conversion(String image) {
    return "{\"image\": \"" + image + "\", \"repository\": \"" + REPOSITORY + "\"}";
  }

  private static String removal(String fields) {
    return "{\"repository\": \"%s\", %s}".formatted(REPOSITORY, fields);
  }

  private static String diffCommit(String digest) {
    return "{\"repository\": \"%s\", \"digest\": \"%s\", \"sizeBytes\": 11, \"diffId\": \"%s\"}"
        .formatted(REPOSITORY, digest, DIGEST);
  }
}
