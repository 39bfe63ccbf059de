package io.lamina.standalone.pipeline;

import static io.lamina.standalone.pipeline.TestRepository.assertDone;
import static io.lamina.standalone.pipeline.TestRepository.end;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import io.lamina.image.testing.ImageBuilder;
import io.lamina.image.testing.ReferenceRegistry;
import io.lamina.image.testing.TestImage;
import io.lamina.settings.Settings;
import io.lamina.standalone.EmbeddedLamina;
import io.lamina.standalone.EmbeddedSettings;
import io.lamina.standalone.client.GatewayClient;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** The reference registry tells a gateway by itself what was pushed to it. */
@Timeout(180)
class WebhookIT {
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final String SECRET = "shared by registry and gateway";
  private static final String PATH = "/api/v1/webhooks/ci";

  @TempDir Path folder;
  private final TestRepository repository = new TestRepository("pushed.lamina.test");

  @Test
  void publishesWhatIsPushedOnceHoweverOftenItIsReported() throws Exception {
    ReferenceRegistry.assumeInstalled();
    Path secret = Files.writeString(folder.resolve("secret"), SECRET);
    Files.setPosixFilePermissions(secret, PosixFilePermissions.fromString("rw-------"));
    try (Postman postman = new Postman();
        ReferenceRegistry registry = registry(postman)) {
      EmbeddedSettings settings = settings(registry, secret);
      Report first;
      try (EmbeddedLamina lamina = EmbeddedLamina.start(settings);
          GatewayClient gateway = new GatewayClient(lamina.address(), Optional.empty())) {
        repository.create(gateway);
        postman.deliverTo(lamina.address());

        first = publishes(registry, postman, lamina, gateway, "one");
        Report second = publishes(registry, postman, lamina, gateway, "two");

        assertThat(first.id()).isNotEqualTo(second.id());
        assertKnown(postman.again(first), first);
        // An event of the tag as it was does not bring the older image back.
        assertThat(published(lamina)).hasSize(2);
      }
      try (EmbeddedLamina lamina = EmbeddedLamina.start(settings);
          GatewayClient gateway = new GatewayClient(lamina.address(), Optional.empty())) {
        postman.deliverTo(lamina.address());

        assertKnown(postman.again(first), first);

        assertThat(gateway.fetch("/api/v1/conversions").path("items")).hasSize(2);
        assertThat(published(lamina)).hasSize(2);
      }
    }
  }

  /** Pushes an image under the same tag as the others, and waits until the tag shows it. */
  private Report publishes(
      ReferenceRegistry registry,
      Postman postman,
      EmbeddedLamina lamina,
      GatewayClient gateway,
      String content)
      throws Exception {
    TestImage image = SampleImages.image(ImageBuilder.oci(), content, "tools", content).build();
    registry.push("team/app", "1", image);
    Report report = postman.awaitAccepted();

    assertThat(report.request().path("image").asText())
        .isEqualTo("docker://" + registry.host() + "/team/app:1@" + image.manifest().digest());
    assertDone(end(gateway, report.request()));
    repository.assertShows(
        new TestRepository.Place(
            lamina.address() + "/cvmfs/" + repository.name(), lamina.publicKey(repository.name())),
        registry.host() + "/team/app:1");
    return report;
  }

  private List<?> published(EmbeddedLamina lamina) throws Exception {
    return PublishedJournal.read(lamina.kafka(), repository.name()).transactions();
  }

  private static void assertKnown(JsonNode answer, Report report) {
    assertThat(answer.path("accepted")).isEmpty();
    assertThat(answer.path("known")).hasSize(1);
    assertThat(answer.path("known").path(0).path("id").asText()).isEqualTo(report.id());
  }

  private EmbeddedSettings settings(ReferenceRegistry registry, Path secret) throws IOException {
    Path file =
        Files.writeString(
            folder.resolve("lamina.properties"),
            """
            gateway.listen.port = 0
            gateway.webhook.ci.format = distribution
            gateway.webhook.ci.registry = %1$s
            gateway.webhook.ci.images = %1$s/team/*
            gateway.webhook.ci.secret-file = %2$s
            gateway.webhook.ci.repository = %3$s
            """
                .formatted(registry.host(), secret, repository.name().value()));
    return EmbeddedSettings.from(
        folder.resolve("data"), Settings.read(file, Map.of()), System.getenv());
  }

  private ReferenceRegistry registry(Postman postman) throws IOException {
    return ReferenceRegistry.start(
        Files.createDirectory(folder.resolve("registry")),
        "",
        """
        notifications:
          endpoints:
            - name: lamina
              url: %s
              headers:
                Authorization: ["Bearer %s"]
              timeout: 30s
              threshold: 5
              backoff: 1s
        """
            .formatted(postman.address(), SECRET));
  }

  /** What the registry sent, and what became of it. */
  private record Report(byte[] body, String type, JsonNode request) {
    String id() {
      return request.path("id").asText();
    }
  }

  /** Between registry and gateway: remembers what was sent. Thread-safe. */
  private static final class Postman implements AutoCloseable {
    private final HttpServer server;
    private final ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor();
    private final HttpClient client = HttpClient.newHttpClient();
    private volatile URI gateway = URI.create("http://127.0.0.1:1");
    private final BlockingQueue<Report> accepted = new LinkedBlockingQueue<>();
    private final List<String> failures = new ArrayList<>();

    Postman() throws IOException {
      server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
      server.setExecutor(threads);
      server.createContext("/", this::handle);
      server.start();
    }

    URI address() {
      return URI.create("http://127.0.0.1:" + server.getAddress().getPort() + PATH);
    }

    void deliverTo(URI address) {
      gateway = address;
    }

    /** The next delivery that made a request; the registry reports layers too. */
    Report awaitAccepted() throws InterruptedException {
      Report report = accepted.poll(60, TimeUnit.SECONDS);
      if (report == null) {
        throw new IllegalStateException("nothing was accepted; refused: " + failures);
      }
      return report;
    }

    JsonNode again(Report report) throws IOException, InterruptedException {
      HttpResponse<byte[]> answer = pass(report.body(), report.type(), "Bearer " + SECRET);
      assertThat(answer.statusCode()).isEqualTo(202);
      return JSON.readTree(answer.body());
    }

    private void handle(HttpExchange exchange) throws IOException {
      try (exchange) {
        byte[] body = exchange.getRequestBody().readAllBytes();
        String type = exchange.getRequestHeaders().getFirst("Content-Type");
        HttpResponse<byte[]> answer =
            pass(body, type, exchange.getRequestHeaders().getFirst("Authorization"));
        exchange.sendResponseHeaders(answer.statusCode(), -1);
        JsonNode json = JSON.readTree(answer.body());
        if (answer.statusCode() >= 300) {
          synchronized (failures) {
            failures.add(json.toString());
          }
        }
        for (JsonNode request : json.path("accepted")) {
          accepted.add(new Report(body, type, request));
        }
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
      }
    }

    private HttpResponse<byte[]> pass(byte[] body, String type, String authorization)
        throws IOException, InterruptedException {
      return client.send(
          HttpRequest.newBuilder(gateway.resolve(PATH))
              .header("Content-Type", type)
              .header("Authorization", authorization)
              .POST(HttpRequest.BodyPublishers.ofByteArray(body))
              .build(),
          HttpResponse.BodyHandlers.ofByteArray());
    }

    @Override
    public void close() {
      server.stop(0);
      client.close();
      threads.close();
    }
  }
}
