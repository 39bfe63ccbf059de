package io.lamina.gateway;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.lamina.cvmfs.RepositoryName;
import io.lamina.gateway.problem.GatewayException;
import io.lamina.gateway.webhook.Deliveries;
import io.lamina.messaging.event.Event;
import io.vertx.core.json.JsonArray;
import io.vertx.core.json.JsonObject;
import java.io.IOException;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Registries that report to a real gateway. */
class WebhooksIT {
  private static final String PATH = "/api/v1/webhooks/";
  private static final String BEARER = "Bearer " + Deliveries.SECRET;

  @TempDir Path folder;
  @RegisterExtension final TestGateways gateways = new TestGateways();

  private TestGateway.Setup setup() {
    return new TestGateway.Setup(folder).with(Deliveries.settings(folder)).with(Deliveries.CLOCK);
  }

  private TestGateway start() {
    return gateways.start(setup());
  }

  @Test
  void convertsWhatWasPushedAsItWasPushed() {
    TestGateway gateway = start();

    HttpResponse<String> answer = distribution(gateway, Deliveries.DISTRIBUTION);

    assertThat(answer.statusCode()).as(answer.body()).isEqualTo(202);
    JsonObject request = new JsonObject(answer.body()).getJsonArray("accepted").getJsonObject(0);
    assertThat(request.getString("image"))
        .isEqualTo("docker://registry.example.org:5000/team/app:1.2@" + Deliveries.DIGEST);
    assertThat(request.getString("repository")).isEqualTo(Deliveries.REPOSITORY);
    String self = request.getJsonObject("links").getString("self");
    assertThat(gateway.get(self).statusCode()).isEqualTo(200);
    assertThat(requests(gateway)).hasSize(1);
  }

  @Test
  void takesEachRegistrysDeliveryAsThatRegistrySendsIt() {
    TestGateway gateway = start();

    for (HttpResponse<String> answer :
        List.of(
            post(gateway, "harbor", Deliveries.HARBOR, "Authorization", Deliveries.SECRET),
            send(
                gateway,
                "harbor",
                Deliveries.HARBOR_CLOUD_EVENT,
                "application/cloudevents+json; charset=UTF-8",
                "Authorization",
                BEARER),
            post(
                gateway,
                "quay",
                Deliveries.QUAY,
                "Authorization",
                "Basic cXVheTphIHNlY3JldCBvZiBzb21lIGxlbmd0aA=="),
            post(
                gateway,
                "docker-hub?token=" + Deliveries.SECRET.replace(" ", "%20"),
                Deliveries.DOCKER_HUB),
            post(
                gateway,
                "github",
                Deliveries.GITHUB,
                "X-Hub-Signature-256",
                Deliveries.signature(Deliveries.GITHUB, Deliveries.SECRET),
                "X-GitHub-Event",
                "registry_package"))) {
      assertThat(answer.statusCode()).as(answer.body()).isEqualTo(202);
    }
    assertThat(requests(gateway)).hasSize(6);
  }

  // ---- repetition ---------------------------------------------------------------------------

  @Test
  void makesNoSecondRequestOfARepeatedDeliveryAcrossRestartsAndGateways() {
    TestGateway first = start();
    TestGateway second = gateways.start(setup().on(first.log));
    String id = ids(distribution(first, Deliveries.DISTRIBUTION), "accepted").getFirst();

    List<HttpResponse<String>> again = new ArrayList<>();
    again.add(distribution(first, Deliveries.DISTRIBUTION));
    again.add(distribution(second, Deliveries.DISTRIBUTION));
    TestGateway restarted = gateways.start(setup().on(first.log));
    again.add(distribution(restarted, Deliveries.DISTRIBUTION));
    TestGateway later =
        gateways.start(
            setup().on(first.log).with(Clock.offset(Deliveries.CLOCK, Duration.ofHours(5))));
    again.add(distribution(later, Deliveries.DISTRIBUTION));

    for (HttpResponse<String> answer : again) {
      assertThat(answer.statusCode()).isEqualTo(202);
      assertThat(ids(answer, "accepted")).isEmpty();
      assertThat(ids(answer, "known")).containsExactly(id);
    }
    assertThat(requests(first)).hasSize(1);
  }

  /** Its signature is right, and its id is not part of what is signed. */
  @Test
  void isNotFooledByAnotherDeliveryIdOverTheSameBody() {
    TestGateway gateway = start();
    String signature = Deliveries.signature(Deliveries.GITHUB, Deliveries.SECRET);

    for (String delivery : List.of("72d3162e-cc78-11e3-81ab-4c9367dc0958", "other", "")) {
      post(
          gateway,
          "github",
          Deliveries.GITHUB,
          "X-Hub-Signature-256",
          signature,
          "X-GitHub-Delivery",
          delivery);
    }

    assertThat(requests(gateway)).hasSize(1);
  }

  @Test
  void leavesOutWhatIsTooOld() {
    TestGateway gateway =
        gateways.start(setup().with(Clock.offset(Deliveries.CLOCK, Duration.ofHours(24))));

    HttpResponse<String> answer = distribution(gateway, Deliveries.DISTRIBUTION);

    // No error: a registry would send it again, and it would only be older.
    assertThat(answer.statusCode()).isEqualTo(200);
    assertThat(reasons(answer)).containsExactly("too-old");
    assertThat(gateway.log.events()).isEmpty();
  }

  // ---- who reports --------------------------------------------------------------------------

  @ParameterizedTest
  @CsvSource({
    "distribution, Authorization, Bearer wrong",
    "distribution, Authorization, a secret of some lengtH",
    "distribution, X-Hub-Signature-256, right",
    "distribution, X-Nothing, x",
    "distribution?token=a%20secret%20of%20some%20length, X-Nothing, x",
    "github, X-Hub-Signature-256, wrong",
    "github, X-Hub-Signature-256, sha256=xyz",
    "github, X-Nothing, x",
    "github, Authorization, Bearer a secret of some length",
    "docker-hub, Authorization, Bearer a secret of some length",
    "docker-hub?token=wrong, X-Nothing, x",
    "nothing, Authorization, Bearer a secret of some length",
    "%2e%2e, Authorization, Bearer a secret of some length",
  })
  void answersWhoeverHasNoSecretAlike(String hook, String header, String value) {
    TestGateway gateway = start();
    String proof =
        switch (value) {
          case "right" -> Deliveries.signature(Deliveries.DISTRIBUTION, Deliveries.SECRET);
          case "wrong" -> Deliveries.signature(Deliveries.DISTRIBUTION, "wrong");
          default -> value;
        };

    HttpResponse<String> answer = post(gateway, hook, Deliveries.DISTRIBUTION, header, proof);

    assertThat(answer.statusCode()).as(answer.body()).isIn(401, 404);
    assertThat(answer.body())
        .contains("urn:lamina:problem:")
        .doesNotContain(Deliveries.SECRET)
        .doesNotContain("token=")
        .doesNotContain("expected");
    assertThat(gateway.log.events()).isEmpty();
  }

  @Test
  void doesNotReadTheBodyOfWhoMayNotSendIt() throws IOException {
    TestGateway gateway = start();
    try (RawHttp raw = new RawHttp(gateway.process.port())) {
      raw.send(
          "POST "
              + PATH
              + "github HTTP/1.1\nHost: localhost\nContent-Type: application/json\n"
              + "Content-Length: 1000000000\nExpect: 100-continue\n\n");

      assertThat(raw.readToEnd()).startsWith("HTTP/1.1 401 ");
    }
  }

  @Test
  void takesNoTokenOfTheApiForAWebhooksSecret() throws IOException {
    TestGateway gateway =
        gateways.start(setup().with("gateway.tokens.file", Tokens.file(folder).toString()));

    assertThat(
            post(
                    gateway,
                    "distribution",
                    Deliveries.DISTRIBUTION,
                    "Authorization",
                    "Bearer " + Tokens.OPERATOR)
                .statusCode())
        .isEqualTo(401);
    assertThat(distribution(gateway, Deliveries.DISTRIBUTION).statusCode()).isEqualTo(202);
    assertThat(
            gateway
                .send(gateway.request("/api/v1/conversions").header("Authorization", BEARER).GET())
                .statusCode())
        .isEqualTo(401);
  }

  @Test
  void doesNotStartWithASecretThatEverybodyReads() throws IOException {
    Path secret = Deliveries.secretFile(folder);
    Files.setPosixFilePermissions(secret, PosixFilePermissions.fromString("rw-r--r--"));
    TestGateway.Setup setup = setup();

    assertThatThrownBy(setup::start)
        .isInstanceOf(GatewayException.Fatal.class)
        .hasMessageContaining("may be read by everybody")
        .hasMessageNotContaining(Deliveries.SECRET);
  }

  // ---- what is taken ------------------------------------------------------------------------

  @Test
  void fetchesFromNoOtherHostThanItsRegistrys() {
    TestGateway gateway = start();

    HttpResponse<String> answer =
        distribution(gateway, Deliveries.distribution("request.host", "169.254.169.254"));

    assertThat(answer.statusCode()).isEqualTo(200);
    assertThat(reasons(answer)).containsExactly("other-host");
    assertThat(gateway.log.events()).isEmpty();
  }

  @Test
  void answersWhatItMadeAndWhatItLeftOutAndWhy() {
    TestGateway gateway = start();
    JsonArray events = new JsonObject(Deliveries.many(2)).getJsonArray("events");
    for (String changed :
        List.of(
            Deliveries.distribution("action", "pull"),
            Deliveries.distribution("target.tag", ""),
            Deliveries.distribution("target.repository", "../etc"))) {
      events.add(new JsonObject(changed).getJsonArray("events").getJsonObject(0));
    }

    HttpResponse<String> answer =
        distribution(gateway, new JsonObject().put("events", events).encode());

    assertThat(answer.statusCode()).isEqualTo(202);
    assertThat(ids(answer, "accepted")).hasSize(2);
    assertThat(reasons(answer)).containsExactly("not-a-push", "untagged", "malformed");
    String metrics = gateway.get("/metrics").body();
    assertThat(metrics)
        .contains(
            "gateway_webhook_events_total{outcome=\"accepted\",webhook=\"distribution\"} 2.0",
            "gateway_webhook_events_total{outcome=\"malformed\",webhook=\"distribution\"} 1.0");
  }

  @Test
  void boundsBodiesAndTheirEvents() {
    TestGateway gateway =
        gateways.start(
            setup()
                .with("gateway.limits.webhook-body", "16KiB")
                .with("gateway.limits.webhook-events", "5"));

    assertThat(distribution(gateway, Deliveries.many(5)).statusCode()).isEqualTo(202);
    HttpResponse<String> tooMany = distribution(gateway, Deliveries.many(6));
    HttpResponse<String> tooLarge =
        distribution(gateway, Deliveries.distribution("actor.name", "x".repeat(16 << 10)));

    assertThat(tooMany.statusCode()).isEqualTo(413);
    assertThat(tooMany.body()).contains("gateway.limits.webhook-events");
    assertThat(tooLarge.statusCode()).isEqualTo(413);
    assertThat(requests(gateway)).hasSize(5);
  }

  @ParameterizedTest
  @ValueSource(strings = {"text/plain", "application/x-www-form-urlencoded", "multipart/form-data"})
  void takesNoBodiesThatAWebPageMaySendUnasked(String type) {
    TestGateway gateway = start();

    HttpResponse<String> answer =
        send(gateway, "distribution", Deliveries.DISTRIBUTION, type, "Authorization", BEARER);

    assertThat(answer.statusCode()).isEqualTo(415);
    assertThat(gateway.log.events()).isEmpty();
  }

  @Test
  void asksForTheDeliveryAgainWhenTheBacklogIsFullAndKnowsWhatItTook() {
    TestGateway full = gateways.start(setup().with("gateway.limits.backlog", "2"));

    HttpResponse<String> refused = distribution(full, Deliveries.many(3));

    assertThat(refused.statusCode()).isEqualTo(429);
    assertThat(refused.headers().firstValue("Retry-After")).isPresent();
    assertThat(requests(full)).hasSize(2);

    TestGateway roomy = gateways.start(setup().on(full.log));
    HttpResponse<String> again = distribution(roomy, Deliveries.many(3));
    assertThat(again.statusCode()).isEqualTo(202);
    assertThat(ids(again, "known")).hasSize(2);
    assertThat(ids(again, "accepted")).hasSize(1);
    assertThat(requests(roomy)).hasSize(3);
  }

  @Test
  void boundsTheDeliveriesThatAreAnsweredAtOnce() throws Exception {
    TestGateway gateway =
        gateways.start(
            setup().with("gateway.limits.webhooks", "1").with("gateway.timeouts.body", "20s"));
    try (RawHttp one = unfinished(gateway);
        RawHttp other = unfinished(gateway)) {
      // Whichever came first is waited for.
      Eventually.is(() -> one.hasAnswer() || other.hasAnswer());

      assertThat(distribution(gateway, Deliveries.DISTRIBUTION).statusCode()).isEqualTo(429);
      assertThat(gateway.get("/api/v1/conversions").statusCode())
          .as("others are answered")
          .isEqualTo(200);
    }
    Eventually.is(() -> distribution(gateway, Deliveries.DISTRIBUTION).statusCode() == 202);
  }

  /** A delivery whose body does not come. */
  private static RawHttp unfinished(TestGateway gateway) throws IOException {
    return new RawHttp(gateway.process.port())
        .send(
            "POST "
                + PATH
                + "distribution HTTP/1.1\nHost: localhost\nContent-Type: application/json\n"
                + "Authorization: "
                + BEARER
                + "\nContent-Length: 40\n\n{");
  }

  @Test
  void takesNothingBeforeItKnowsWhatWasTaken() {
    TestGateway first = start();
    distribution(first, Deliveries.DISTRIBUTION);
    TestGateway reading = gateways.start(setup().on(first.log).heldBack());

    HttpResponse<String> early = distribution(reading, Deliveries.DISTRIBUTION);
    reading.feed.catchUp();
    HttpResponse<String> then = distribution(reading, Deliveries.DISTRIBUTION);

    assertThat(early.statusCode()).isEqualTo(503);
    assertThat(ids(then, "known")).hasSize(1);
    assertThat(requests(first)).hasSize(1);
  }

  @Test
  void saysThatItsRepositoryIsMissing() {
    TestGateway.InMemoryDirectory directory = new TestGateway.InMemoryDirectory();
    TestGateway gateway = gateways.start(setup().with(directory));

    assertThat(distribution(gateway, Deliveries.DISTRIBUTION).statusCode()).isEqualTo(404);
    directory.create(new RepositoryName(Deliveries.REPOSITORY));
    assertThat(distribution(gateway, Deliveries.DISTRIBUTION).statusCode()).isEqualTo(202);
  }

  // ---- parts --------------------------------------------------------------------------------

  private static HttpResponse<String> distribution(TestGateway gateway, String body) {
    return send(gateway, "distribution", body, Deliveries.EVENTS_TYPE, "Authorization", BEARER);
  }

  private static HttpResponse<String> post(
      TestGateway gateway, String hook, String body, String... headers) {
    return send(gateway, hook, body, "application/json", headers);
  }

  private static HttpResponse<String> send(
      TestGateway gateway, String hook, String body, String type, String... headers) {
    HttpRequest.Builder request =
        gateway
            .request(PATH + hook)
            .header("Content-Type", type)
            .POST(HttpRequest.BodyPublishers.ofString(body));
    for (int i = 0; i < headers.length; i += 2) {
      request.header(headers[i], headers[i + 1]);
    }
    return gateway.send(request);
  }

  private static List<Event.ConversionRequested> requests(TestGateway gateway) {
    return gateway.log.events().stream()
        .filter(Event.ConversionRequested.class::isInstance)
        .map(Event.ConversionRequested.class::cast)
        .toList();
  }

  private static List<String> ids(HttpResponse<String> answer, String field) {
    return new JsonObject(answer.body())
        .getJsonArray(field).stream().map(r -> ((JsonObject) r).getString("id")).toList();
  }

  private static List<String> reasons(HttpResponse<String> answer) {
    return new JsonObject(answer.body())
        .getJsonArray("leftOut").stream()
            .map(left -> ((JsonObject) left).getString("reason"))
            .toList();
  }
}
