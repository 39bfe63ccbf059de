package io.lamina.node;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.fasterxml.jackson.databind.JsonNode;
import io.lamina.linux.MountTable;
import io.lamina.linux.Mounts;
import io.lamina.node.graphdriver.DriverException;
import io.lamina.node.graphdriver.DriverProbe;
import io.lamina.node.status.NodeStatusClient;
import io.lamina.settings.Settings;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What a driver tells of itself, on its socket and on a port. */
class NodeStatusIT {
  private static final byte[] EMPTY_ARCHIVE = new byte[1024];

  @TempDir Path folder;
  private final HttpClient http = HttpClient.newHttpClient();
  private int port;
  private NodeProcess process;
  private boolean stopped;

  @BeforeEach
  void start() throws IOException {
    assumeTrue(
        "root".equals(System.getProperty("user.name"))
            && !MountTable.read().holding(folder).orElseThrow().type().equals("overlay"),
        "only root can mount overlays, and not on an overlay");
    try (ServerSocket free = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      port = free.getLocalPort();
    }
    Files.createDirectories(folder.resolve("run"));
    Files.writeString(folder.resolve("run/status.sock"), "left by a process that was killed");
    process =
        NodeProcess.start(
            NodeSettings.from(
                Settings.of(
                    "test",
                    Map.of(
                        "plugin.name",
                        "lamina-test",
                        "plugin.state",
                        folder.resolve("state").toString(),
                        "plugin.runtime",
                        folder.resolve("run").toString(),
                        "plugin.socket",
                        folder.resolve("p/x.sock").toString(),
                        "plugin.status.listen",
                        "127.0.0.1:" + port,
                        "plugin.client",
                        "embedded"))),
            new Random(1));
  }

  @AfterEach
  void stop() {
    if (!stopped) {
      process.close();
    }
    MountTable.read().below(folder).reversed().forEach(m -> Mounts.detach(Path.of(m.path())));
  }

  private JsonNode status() throws Exception {
    long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(60);
    while (true) {
      try {
        return NodeStatusClient.fetch(folder.resolve("run/status.sock"));
      } catch (IOException e) {
        // It is served a little later than the engine's socket.
        if (System.nanoTime() > deadline) {
          throw e;
        }
        Thread.onSpinWait();
      }
    }
  }

  private HttpResponse<String> send(String method, String path) throws Exception {
    status();
    return http.send(
        HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + port + path))
            .method(method, HttpRequest.BodyPublishers.noBody())
            .build(),
        HttpResponse.BodyHandlers.ofString());
  }

  private void useALayer(DriverProbe probe) throws Exception {
    probe.call("Init", "{\"Home\":\"/engine\",\"Opts\":null,\"UIDMaps\":null,\"GIDMaps\":null}");
    probe.call("Create", "{\"ID\":\"image\"}");
    probe.call("/GraphDriver.ApplyDiff?id=image&parent=", EMPTY_ARCHIVE);
    probe.call("CreateReadWrite", "{\"ID\":\"box\",\"Parent\":\"image\"}");
    probe.call("Get", "{\"ID\":\"box\"}");
    probe.call("Get", "{\"ID\":\"box\"}");
  }

  @Test
  void isAliveButNotReadyBeforeAnEngineHasIntroducedItself() throws Exception {
    assertThat(send("GET", "/health/live").statusCode()).isEqualTo(200);
    HttpResponse<String> ready = send("GET", "/health/ready");

    assertThat(ready.statusCode()).isEqualTo(503);
    assertThat(ready.body()).contains("no engine has introduced itself");
    assertThat(status().path("engine").isNull()).isTrue();
  }

  @Test
  void tellsWhatIsMountedAndHowOftenItIsUsed() throws Exception {
    try (DriverProbe probe = new DriverProbe(process.socket())) {
      useALayer(probe);

      JsonNode status = status();

      assertThat(status.path("name").asText()).isEqualTo("lamina-test");
      assertThat(status.path("ready").asBoolean()).isTrue();
      assertThat(status.path("engine").path("home").asText()).isEqualTo("/engine");
      assertThat(status.path("layers").toString())
          .isEqualTo("{\"count\":2,\"thin\":0,\"mounted\":1,\"uses\":2}");
      assertThat(status.path("mounts").toString())
          .isEqualTo("[{\"layer\":\"box\",\"uses\":2,\"repositories\":[]}]");
      assertThat(status.path("clients").toString())
          .isEqualTo("[{\"name\":\"embedded\",\"repositories\":[]}]");
      assertThat(send("GET", "/health/ready").statusCode()).isEqualTo(200);

      probe.call("Put", "{\"ID\":\"box\"}");
      probe.call("Put", "{\"ID\":\"box\"}");
      assertThat(status().path("mounts").size()).isZero();
    }
  }

  @Test
  void countsTheEnginesCallsByNameAndOutcome() throws Exception {
    try (DriverProbe probe = new DriverProbe(process.socket())) {
      useALayer(probe);
      try {
        probe.call("Get", "{\"ID\":\"unknown\"}");
      } catch (DriverException.Refused expected) {
        assertThat(expected).hasMessageContaining("unknown");
      }

      String metrics = send("GET", "/metrics").body();

      assertThat(metrics.lines())
          .contains(
              "node_calls_duration_seconds_count{call=\"Get\"} 3",
              "node_calls_failed_total{call=\"Get\"} 1.0",
              "node_layers_mounted 1.0",
              "node_layers_uses 2.0",
              "node_ready 1.0");
    }
  }

  @Test
  void servesNothingElse() throws Exception {
    assertThat(send("POST", "/status").statusCode()).isEqualTo(405);
    assertThat(send("GET", "/GraphDriver.Remove").statusCode()).isEqualTo(404);
    assertThat(send("GET", "/status/../x").statusCode()).isEqualTo(404);
  }

  @Test
  void keepsItsSocketToRootAndTakesItAway() throws Exception {
    Path socket = folder.resolve("run/status.sock");
    status();

    assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(socket)))
        .isEqualTo("rw-------");
    process.close();
    stopped = true;
    assertThat(socket).doesNotExist();
  }
}
