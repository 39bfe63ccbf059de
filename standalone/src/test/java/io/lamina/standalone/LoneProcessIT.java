package io.lamina.standalone;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.lamina.messaging.broker.EmbeddedBroker;
import io.lamina.settings.SettingsException;
import io.lamina.standalone.LoneProcess.Kind;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What single processes tell of themselves. */
@SuppressWarnings("NullAway.Init")
class LoneProcessIT {
  @TempDir static Path kafka;
  private static EmbeddedBroker broker;

  @TempDir Path folder;
  private final HttpClient http = HttpClient.newHttpClient();

  @BeforeAll
  static void startBroker() {
    broker = EmbeddedBroker.start(EmbeddedBroker.Settings.in(kafka));
  }

  @AfterAll
  static void stopBroker() {
    broker.close();
  }

  private LoneProcess start(Kind kind, int port) throws IOException {
    Path settings =
        Files.writeString(
            folder.resolve("settings"),
            """
            kafka.bootstrap = %s
            topics.replication = 1
            data.folder = %s
            status.listen = 127.0.0.1:%d
            """
                .formatted(broker.bootstrapServers(), folder, port));
    return LoneProcess.start(kind, settings, Map.of());
  }

  private static int freePort() throws IOException {
    try (ServerSocket free = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      return free.getLocalPort();
    }
  }

  private HttpResponse<String> get(int port, String path) throws Exception {
    return http.send(
        HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + port + path)).build(),
        HttpResponse.BodyHandlers.ofString());
  }

  @ParameterizedTest
  @CsvSource({
    "CONVERTER, converter_permits_max",
    "PUBLISHER, publish_transactions_total",
  })
  void tellsHealthAndMetrics(Kind kind, String metric) throws Exception {
    int port = freePort();
    try (LoneProcess process = start(kind, port)) {
      assertThat(process.stopped()).isNotDone();
      assertThat(get(port, "/health/live").statusCode()).isEqualTo(200);
      assertThat(get(port, "/health/ready").statusCode()).isEqualTo(200);
      assertThat(get(port, "/metrics").body())
          .contains(metric, "worker_progress_age_seconds{worker=", "jvm_memory_used_bytes");
    }
  }

  @Test
  void doesNotStartWhereItCannotTell() throws Exception {
    try (ServerSocket taken = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      assertThatThrownBy(() -> start(Kind.PUBLISHER, taken.getLocalPort()))
          .isInstanceOf(SettingsException.class)
          .hasMessageContaining("status.listen: cannot listen on 127.0.0.1:")
          .hasMessageContaining("in use");
    }
  }

  @Test
  void aGatewayTellsWhereItListensAnyway() {
    assertThatThrownBy(() -> start(Kind.GATEWAY, freePort()))
        .isInstanceOf(SettingsException.class)
        .hasMessageContaining("status.listen");
  }
}
