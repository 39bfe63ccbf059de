package io.lamina.standalone.client;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class GatewayClientTest {
  private static final Duration SILENCE = Duration.ofMillis(200);
  private static final String RUNNING = "{\"state\":\"running\"}";
  private static final String DONE = "{\"state\":\"done\"}";

  private final ExecutorService threads = Executors.newCachedThreadPool();
  private final CountDownLatch over = new CountDownLatch(1);
  private HttpServer server;
  private GatewayClient client;

  @BeforeEach
  void start() throws IOException {
    server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    server.setExecutor(threads);
    server.start();
    client =
        new GatewayClient(
            URI.create("http://127.0.0.1:" + server.getAddress().getPort()),
            Optional.empty(),
            SILENCE);
  }

  @AfterEach
  void stop() {
    over.countDown();
    client.close();
    server.stop(0);
    threads.shutdownNow();
  }

  @Test
  void followsUntilItsReaderHasEnough() {
    streams("data: {\"n\":1}\n\n:\n\ndata: {\"n\":2}\n\n");
    List<Integer> seen = new ArrayList<>();
    assertThat(
            client.follow(
                "/events",
                event -> {
                  seen.add(event.path("n").asInt());
                  return seen.size() < 2;
                }))
        .isTrue();
    assertThat(seen).containsExactly(1, 2);
  }

  @Test
  void givesUpAStreamThatFellSilent() {
    streams("data: " + RUNNING + "\n\n");
    assertThatThrownBy(() -> client.follow("/events", event -> true))
        .isInstanceOfSatisfying(GatewayException.class, e -> assertThat(e.status()).isZero())
        .hasMessageContaining("did not answer in time");
  }

  @Test
  void asksForTheRequestAgainWhenItsStreamFellSilent() {
    AtomicInteger asked = new AtomicInteger();
    server.createContext(
        "/request",
        exchange -> {
          byte[] body =
              (asked.getAndIncrement() == 0 ? RUNNING : DONE).getBytes(StandardCharsets.UTF_8);
          exchange.sendResponseHeaders(200, body.length);
          exchange.getResponseBody().write(body);
          exchange.close();
        });
    server.createContext("/request/events", exchange -> stream(exchange, ""));
    assertThat(new RequestFollower(client).follow("/request", latest -> {}).path("state").asText())
        .isEqualTo("done");
    assertThat(asked).hasValue(2);
  }

  /** A stream that says something and then neither ends nor says anything more. */
  private void streams(String said) {
    server.createContext("/events", exchange -> stream(exchange, said));
  }

  private void stream(HttpExchange exchange, String said) throws IOException {
    exchange.getResponseHeaders().set("Content-Type", "text/event-stream");
    exchange.sendResponseHeaders(200, 0);
    OutputStream out = exchange.getResponseBody();
    out.write(said.getBytes(StandardCharsets.UTF_8));
    out.flush();
    try {
      over.await();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    exchange.close();
  }
}
