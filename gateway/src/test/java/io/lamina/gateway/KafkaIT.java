package io.lamina.gateway;

import static org.assertj.core.api.Assertions.assertThat;

import io.lamina.gateway.kafka.KafkaEventFeed;
import io.lamina.gateway.kafka.KafkaRequestLog;
import io.lamina.gateway.request.Statuses;
import io.lamina.gateway.settings.GatewaySettings;
import io.lamina.gateway.upload.RepositoryStores;
import io.lamina.gateway.webhook.Deliveries;
import io.lamina.messaging.EventProducer;
import io.lamina.messaging.EventTransactions;
import io.lamina.messaging.KafkaDeadLetters;
import io.lamina.messaging.KafkaSettings;
import io.lamina.messaging.Outgoing;
import io.lamina.messaging.Received;
import io.lamina.messaging.TableReader;
import io.lamina.messaging.Topic;
import io.lamina.messaging.TopicSettings;
import io.lamina.messaging.Topics;
import io.lamina.messaging.broker.EmbeddedBroker;
import io.lamina.messaging.event.Event;
import io.lamina.messaging.event.Event.RequestStatus;
import io.lamina.messaging.event.Event.RequestStatus.State;
import io.lamina.messaging.event.WorkKey;
import io.lamina.settings.Settings;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.micrometer.prometheusmetrics.PrometheusConfig;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import io.vertx.core.json.JsonObject;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.time.Clock;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CopyOnWriteArrayList;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.MethodOrderer;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestMethodOrder;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Gateways on a real broker. */
@Timeout(180)
@TestMethodOrder(MethodOrderer.OrderAnnotation.class)
class KafkaIT {
  private static final String PATH = "/api/v1/conversions";
  private static final String BODY =
      "{\"image\": \"debian:12\", \"repository\": \"" + Statuses.REPOSITORY + "\"}";

  @TempDir static Path folder;
  private static EmbeddedBroker broker;
  private static KafkaSettings kafka;
  private static HttpClient client;

  @BeforeAll
  static void start() {
    broker = EmbeddedBroker.start(EmbeddedBroker.Settings.in(folder.resolve("broker")));
    kafka = KafkaSettings.of(broker.bootstrapServers(), "gateway-test");
    client = HttpClient.newHttpClient();
  }

  @AfterAll
  static void stop() {
    client.close();
    broker.close();
  }

  /** A gateway process as a composition root makes it. */
  private static final class Running implements AutoCloseable {
    private final EventTransactions transactions =
        new EventTransactions(kafka, Clock.systemUTC(), new SecureRandom());
    private final KafkaRequestLog log = new KafkaRequestLog(transactions, 64);
    private final KafkaDeadLetters letters =
        new KafkaDeadLetters(
            kafka,
            KafkaDeadLetters.Settings.standard(),
            Clock.systemUTC(),
            new SimpleMeterRegistry());
    private final GatewayProcess process;

    Running() {
      PrometheusMeterRegistry metrics = new PrometheusMeterRegistry(PrometheusConfig.DEFAULT);
      process =
          GatewayProcess.start(
              GatewaySettings.from(Settings.of("test", settings())),
              new GatewayPorts(
                  log,
                  new KafkaEventFeed(kafka, metrics, letters::start),
                  letters,
                  Optional.empty(),
                  RepositoryStores.NONE),
              metrics,
              Clock.systemUTC(),
              new SecureRandom());
    }

    private static Map<String, String> settings() {
      Map<String, String> settings = new HashMap<>(Deliveries.settings(folder));
      settings.put("gateway.listen.port", "0");
      settings.put("gateway.uploads.folder", folder.resolve("spool").toString());
      return settings;
    }

    JsonObject deliver(String body) {
      HttpResponse<String> answer =
          send(
              HttpRequest.newBuilder(URI.create(process.address() + "/api/v1/webhooks/quay"))
                  .header("Content-Type", "application/json")
                  .header("Authorization", Deliveries.SECRET)
                  .POST(HttpRequest.BodyPublishers.ofString(body)));
      assertThat(answer.statusCode()).as(answer.body()).isEqualTo(202);
      return new JsonObject(answer.body());
    }

    Running ready() throws InterruptedException {
      Eventually.is(process::isReady);
      return this;
    }

    HttpResponse<String> get(String path) {
      return send(HttpRequest.newBuilder(URI.create(process.address() + path)));
    }

    HttpResponse<String> post(String... headers) {
      HttpRequest.Builder request =
          HttpRequest.newBuilder(URI.create(process.address() + PATH))
              .header("Content-Type", "application/json")
              .POST(HttpRequest.BodyPublishers.ofString(BODY));
      return send(headers.length == 0 ? request : request.headers(headers));
    }

    private HttpResponse<String> send(HttpRequest.Builder request) {
      try {
        return client.send(
            request.timeout(Duration.ofSeconds(60)).build(), HttpResponse.BodyHandlers.ofString());
      } catch (IOException | InterruptedException e) {
        throw new IllegalStateException(e);
      }
    }

    @Override
    public void close() {
      process.close();
      letters.close();
      log.close();
      transactions.close();
    }
  }

  @Test
  @Order(1)
  void isNotReadyUntilTheTopicsAreThere() throws InterruptedException {
    try (Running gateway = new Running()) {
      Eventually.is(() -> gateway.get("/health/ready").body().contains("topics are missing"));
      assertThat(gateway.get("/health/ready").statusCode()).isEqualTo(503);
      assertThat(gateway.post().statusCode()).isEqualTo(503);

      new Topics(kafka, TopicSettings.embedded()).ensure();

      gateway.ready();
      assertThat(gateway.post().statusCode()).isEqualTo(202);
    }
  }

  @Test
  @Order(2)
  void knowsItsRequestsAfterARestart() throws InterruptedException {
    String id;
    try (Running gateway = new Running().ready()) {
      id = id(gateway.post("Idempotency-Key", "restart"));
      RequestStatus status = statusOf(gateway, id);
      try (EventProducer publisher =
          new EventProducer(kafka, Clock.systemUTC(), Duration.ofSeconds(5))) {
        publisher.send(
            List.of(
                Outgoing.of(
                    Statuses.with(
                        status, State.PLANNED, new WorkKey(WorkKey.Kind.LAYER, Statuses.LAYER_A))),
                Outgoing.of(Statuses.progress(Statuses.LAYER_A, 7, 9)),
                Outgoing.of(EventStreamsIT.published(3))));
      }
      Eventually.is(() -> gateway.get(PATH + "/" + id).body().contains("planned"));
    }

    try (Running restarted = new Running().ready()) {
      JsonObject request = new JsonObject(restarted.get(PATH + "/" + id).body());
      assertThat(request.getString("state")).isEqualTo("planned");
      assertThat(request.getJsonObject("progress").getLong("bytesDone")).isEqualTo(7);
      assertThat(restarted.get("/status/" + Statuses.LAYER_A).body()).isEqualTo("publishing");
      assertThat(restarted.get("/api/v1/repositories").body()).contains("\"revision\":3");

      HttpResponse<String> again = restarted.post("Idempotency-Key", "restart");
      assertThat(id(again)).isEqualTo(id);
      assertThat(again.headers().firstValue("Idempotency-Replayed")).contains("true");
    }
  }

  @Test
  @Order(3)
  void agreesWithOtherGateways() throws InterruptedException {
    try (Running one = new Running().ready();
        Running other = new Running().ready()) {
      String id = id(one.post());

      Eventually.is(() -> other.get(PATH + "/" + id).statusCode() == 200);
      assertThat(new JsonObject(other.get(PATH + "?limit=200").body()))
          .isEqualTo(new JsonObject(one.get(PATH + "?limit=200").body()));
    }
  }

  @Test
  @Order(4)
  void writesTheTraceIntoTheRecords() throws Exception {
    String trace = "4bf92f3577b34da6a3ce929d0e0e4736";
    try (Running gateway = new Running().ready()) {
      String id = id(gateway.post("traceparent", "00-" + trace + "-00f067aa0ba902b7-01"));
      List<Received> read = new CopyOnWriteArrayList<>();
      try (TableReader conversions =
          new TableReader(kafka, "test", Topic.CONVERSIONS, read::add, new SimpleMeterRegistry())) {
        conversions.start();
        conversions.caughtUp().join();
      }

      assertThat(read)
          .filteredOn(
              r ->
                  r.event().orElseThrow() instanceof Event.ConversionRequested c
                      && c.request().value().equals(id))
          .singleElement()
          .satisfies(r -> assertThat(r.traceParent().orElseThrow()).contains(trace));
    }
  }

  @Test
  @Order(5)
  void takesADeliveryOnceWhicheverGatewayHearsOfIt() throws InterruptedException {
    String first;
    try (Running one = new Running().ready();
        Running other = new Running().ready()) {
      JsonObject made = one.deliver(Deliveries.QUAY);
      assertThat(made.getJsonArray("accepted")).hasSize(2);
      first = made.getJsonArray("accepted").getJsonObject(0).getString("id");

      Eventually.is(() -> other.get(PATH + "/" + first).statusCode() == 200);
      assertThat(other.deliver(Deliveries.QUAY).getJsonArray("accepted")).isEmpty();
    }
    try (Running restarted = new Running().ready()) {
      JsonObject again = restarted.deliver(Deliveries.QUAY);

      assertThat(again.getJsonArray("accepted")).isEmpty();
      assertThat(again.getJsonArray("known").getJsonObject(0).getString("id")).isEqualTo(first);
    }
  }

  @Test
  @Order(6)
  void saysSoWhileTheBrokerIsAwayAndGoesOnWhenItIsBack() throws InterruptedException {
    try (Running gateway = new Running().ready()) {
      int port = broker.port();
      broker.close();
      Eventually.is(() -> !gateway.process.isReady());
      assertThat(gateway.post().statusCode()).isEqualTo(503);
      assertThat(gateway.get(PATH).statusCode()).as("what is known stays known").isEqualTo(200);

      broker =
          EmbeddedBroker.start(
              new EmbeddedBroker.Settings(folder.resolve("broker"), port, Map.of()));

      gateway.ready();
      String id = id(gateway.post());
      try (Running other = new Running().ready()) {
        Eventually.is(() -> other.get(PATH + "/" + id).statusCode() == 200);
      }
    }
  }

  private static RequestStatus statusOf(Running gateway, String id) {
    JsonObject request = new JsonObject(gateway.get(PATH + "/" + id).body());
    RequestStatus some =
        Statuses.conversion(
            id, State.ACCEPTED, java.time.Instant.parse(request.getString("acceptedAt")));
    return some;
  }

  private static String id(HttpResponse<String> answer) {
    assertThat(answer.statusCode()).as(answer.body()).isEqualTo(202);
    return new JsonObject(answer.body()).getString("id");
  }
}
