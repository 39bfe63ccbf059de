package io.lamina.node.events;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import io.lamina.node.gateway.GatewayConnection;
import java.io.IOException;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.util.Optional;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** A gateway's stream of events that breaks off, says nonsense, and is refused. */
@SuppressWarnings("NullAway.Init")
@Timeout(240)
class GatewayPublicationsIT {
  /** Ends a stream. */
  private static final String END = "END";

  private final BlockingQueue<String> toSay = new LinkedBlockingQueue<>();
  private final BlockingQueue<String> lastIds = new LinkedBlockingQueue<>();
  private final BlockingQueue<String> heard = new LinkedBlockingQueue<>();
  private final ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor();
  private HttpServer server;
  private GatewayConnection connection;
  private GatewayPublications source;
  private volatile int status = 200;

  @BeforeEach
  void start() throws IOException {
    server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    server.createContext("/api/v1/events", this::stream);
    server.setExecutor(threads);
    server.start();
    connection =
        new GatewayConnection(
            URI.create("http://127.0.0.1:" + server.getAddress().getPort()), Optional.of("secret"));
    source = new GatewayPublications(connection);
  }

  @AfterEach
  void stop() {
    source.close();
    connection.close();
    threads.shutdownNow();
    server.stop(0);
  }

  private void stream(HttpExchange exchange) throws IOException {
    try (exchange) {
      boolean isKnown =
          "Bearer secret".equals(exchange.getRequestHeaders().getFirst("Authorization"));
      String lastId = exchange.getRequestHeaders().getFirst("Last-Event-ID");
      lastIds.add(lastId == null ? "none" : lastId);
      if (status != 200 || !isKnown) {
        exchange.sendResponseHeaders(isKnown ? status : 401, -1);
        return;
      }
      exchange.sendResponseHeaders(200, 0);
      OutputStream out = exchange.getResponseBody();
      for (String said = toSay.take(); !said.equals(END); said = toSay.take()) {
        out.write(said.getBytes(StandardCharsets.UTF_8));
        out.flush();
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private void follow() {
    source.start(
        new PublicationListener() {
          @Override
          public void published(String repository, long revision) {
            heard.add(repository + "@" + revision);
          }

          @Override
          public void missed() {
            heard.add("missed");
          }
        });
  }

  private String next() throws InterruptedException {
    return String.valueOf(heard.poll(120, TimeUnit.SECONDS));
  }

  private static String published(int id, String repository, long revision) {
    return "id: %d\nevent: published\ndata: {\"repository\":\"%s\",\"revision\":%d}\n\n"
        .formatted(id, repository, revision);
  }

  @Test
  void tellsOfPublicationsAndOfNothingElse() throws InterruptedException {
    follow();

    toSay.add("event: reset\ndata: {}\n\n: alive\n\nevent: progress\ndata: {\"id\":\"r\"}\n\n");
    toSay.add(published(1, "a.example.org", 4));

    assertThat(next()).isEqualTo("missed");
    assertThat(next()).isEqualTo("a.example.org@4");
    assertThat(source.progress().isConnected()).isTrue();
  }

  @Test
  void comesBackWithTheLastIdWhenTheStreamBreaksOff() throws InterruptedException {
    follow();
    toSay.add(published(17, "a.example.org", 4));
    assertThat(next()).isEqualTo("a.example.org@4");

    toSay.add(END);
    toSay.add(published(18, "a.example.org", 5));

    assertThat(next()).isEqualTo("a.example.org@5");
    assertThat(lastIds).containsExactly("none", "17");
  }

  @Test
  void triesAgainWhenTheGatewayCannot() throws InterruptedException {
    status = 503;
    follow();
    assertThat(lastIds.poll(60, TimeUnit.SECONDS)).isEqualTo("none");
    assertThat(source.progress().isConnected()).isFalse();

    status = 200;
    toSay.add(published(1, "a.example.org", 4));

    assertThat(next()).isEqualTo("a.example.org@4");
  }

  @Test
  void passesOverNonsense() throws InterruptedException {
    follow();

    toSay.add(published(1, "../../etc", 1));
    toSay.add("event: published\ndata: {\"revision\":\"many\"}\n\n");
    toSay.add("event: published\ndata: 7\n\nevent\n\ndata\n\n");
    toSay.add(published(2, "a.example.org", 2));

    assertThat(next()).isEqualTo("a.example.org@2");
  }
}
