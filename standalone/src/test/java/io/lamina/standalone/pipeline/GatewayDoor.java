package io.lamina.standalone.pipeline;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;

/** Stands in front of a gateway, and does to calls what networks do. Thread-safe. */
final class GatewayDoor implements AutoCloseable {
  private static final List<String> PASSED =
      List.of("Content-type", "Idempotency-key", "Last-event-id", "Accept");

  /** What becomes of a call. */
  enum Fate {
    PASS,
    /** The gateway never hears of it. */
    LOSE_CALL,
    /** The gateway does it, and the caller never hears of that. */
    LOSE_ANSWER
  }

  /** Decides on each call. */
  @FunctionalInterface
  interface Rule {
    Fate of(String call) throws IOException;
  }

  private volatile URI gateway;
  private final HttpServer server;
  private final ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor();
  private final HttpClient http =
      HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();
  private final List<String> calls = new CopyOnWriteArrayList<>();
  private volatile Rule rule = call -> Fate.PASS;

  GatewayDoor(URI gateway) {
    this.gateway = gateway;
    try {
      this.server =
          HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    server.createContext("/", this::handle);
    server.setExecutor(threads);
    server.start();
  }

  URI address() {
    return URI.create("http://127.0.0.1:" + server.getAddress().getPort());
  }

  /** The gateway has another address now. */
  void leadTo(URI address) {
    gateway = address;
  }

  /** From now on. */
  void set(Rule next) {
    rule = next;
  }

  /** Method and path of all calls until now. */
  List<String> calls() {
    return List.copyOf(calls);
  }

  private void handle(HttpExchange exchange) throws IOException {
    try (exchange) {
      String path = exchange.getRequestURI().toString();
      String call = exchange.getRequestMethod() + " " + path;
      calls.add(call);
      Fate fate = rule.of(call);
      if (fate == Fate.LOSE_CALL) {
        return;
      }
      HttpRequest.Builder request =
          HttpRequest.newBuilder(gateway.resolve(path))
              .method(exchange.getRequestMethod(), body(exchange));
      PASSED.forEach(
          name -> {
            String value = exchange.getRequestHeaders().getFirst(name);
            if (value != null) {
              request.header(name, value);
            }
          });
      HttpResponse<InputStream> response =
          http.send(request.build(), HttpResponse.BodyHandlers.ofInputStream());
      try (InputStream body = response.body()) {
        if (fate == Fate.LOSE_ANSWER) {
          body.readAllBytes();
          return;
        }
        response
            .headers()
            .firstValue("Content-Type")
            .ifPresent(type -> exchange.getResponseHeaders().add("Content-Type", type));
        exchange.sendResponseHeaders(response.statusCode(), 0);
        OutputStream out = exchange.getResponseBody();
        byte[] buffer = new byte[8 << 10];
        for (int n = body.read(buffer); n >= 0; n = body.read(buffer)) {
          out.write(buffer, 0, n);
          out.flush();
        }
        out.close();
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private static HttpRequest.BodyPublisher body(HttpExchange exchange) throws IOException {
    String length = exchange.getRequestHeaders().getFirst("Content-length");
    return length == null
        ? HttpRequest.BodyPublishers.noBody()
        : HttpRequest.BodyPublishers.ofByteArray(exchange.getRequestBody().readAllBytes());
  }

  @Override
  public void close() {
    server.stop(0);
    threads.shutdownNow();
    http.shutdownNow();
  }
}
