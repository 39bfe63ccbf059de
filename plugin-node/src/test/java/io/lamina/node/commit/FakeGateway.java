package io.lamina.node.commit;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import io.lamina.image.Digest;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;

/**
 * A gateway whose pipeline is one folder: what is asked for is there when the test says so. Keeps
 * requests by their key, as the real one does. Thread-safe.
 */
final class FakeGateway implements AutoCloseable {
  private static final ObjectMapper JSON = new ObjectMapper();

  /** What becomes of a request. */
  enum Pipeline {
    PUBLISHES,
    FAILS,
    SLEEPS
  }

  private static final class Request {
    final String id;
    final Digest layer;
    final CountDownLatch ended = new CountDownLatch(1);
    volatile String state = "accepted";

    Request(String id, Digest layer) {
      this.id = id;
      this.layer = layer;
    }
  }

  private final Path repository;
  private final HttpServer server;
  private final ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor();
  private final Map<String, Request> requests = new ConcurrentHashMap<>();
  final Map<Digest, byte[]> uploads = new ConcurrentHashMap<>();
  final List<String> keys = new CopyOnWriteArrayList<>();
  final List<String> calls = new CopyOnWriteArrayList<>();
  volatile Pipeline pipeline = Pipeline.PUBLISHES;
  volatile int status;
  volatile boolean shows = true;

  FakeGateway(Path repository) {
    this.repository = repository;
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

  private void handle(HttpExchange exchange) throws IOException {
    try (exchange) {
      String path = exchange.getRequestURI().getPath();
      byte[] body = exchange.getRequestBody().readAllBytes();
      String call = exchange.getRequestMethod() + " " + path;
      calls.add(call);
      if (status != 0) {
        answer(exchange, status, JSON.createObjectNode().put("detail", "no such luck"));
      } else if (call.startsWith("GET /api/v1/uploads/")) {
        Digest digest = Digest.parse(path.substring(path.lastIndexOf('/') + 1));
        answer(exchange, uploads.containsKey(digest) ? 200 : 404, JSON.createObjectNode());
      } else if (call.startsWith("PUT /api/v1/uploads/")) {
        uploads.put(Digest.parse(path.substring(path.lastIndexOf('/') + 1)), body);
        answer(exchange, 201, JSON.createObjectNode());
      } else if (call.equals("POST /api/v1/diff-commits")) {
        Request request = submit(exchange, JSON.readTree(body));
        answer(exchange, 202, json(request));
      } else if (path.endsWith("/events")) {
        follow(exchange, path.split("/")[4]);
      } else {
        answer(exchange, 404, JSON.createObjectNode());
      }
    }
  }

  private Request submit(HttpExchange exchange, JsonNode body) {
    String key = exchange.getRequestHeaders().getFirst("Idempotency-Key");
    keys.add(key);
    Digest layer = Digest.parse(body.path("digest").asText());
    Request request = requests.computeIfAbsent(key, _ -> new Request("k" + requests.size(), layer));
    switch (pipeline) {
      case PUBLISHES -> publish(request);
      case FAILS -> end(request, "failed");
      case SLEEPS -> {
        // until the test wakes it
      }
    }
    return request;
  }

  /** All that was asked for is done now. */
  void wake() {
    requests.values().forEach(this::publish);
  }

  private void publish(Request request) {
    if (request.state.equals("accepted")) {
      show(request.layer);
      end(request, "done");
    }
  }

  private void show(Digest layer) {
    if (!shows) {
      return;
    }
    Path folder = repository.resolve(".layers").resolve(layer.prefix()).resolve(layer.hex());
    try {
      if (!Files.exists(folder)) {
        Files.createDirectories(folder.resolve("layerfs"));
        Files.createSymbolicLink(folder.resolve("diff-id"), Path.of(layer.toString()));
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static void end(Request request, String state) {
    if (request.ended.getCount() > 0) {
      request.state = state;
      request.ended.countDown();
    }
  }

  private static ObjectNode json(Request request) {
    ObjectNode json = JSON.createObjectNode().put("id", request.id).put("state", request.state);
    if (request.state.equals("failed")) {
      json.put("detail", "the layer cannot be read");
    }
    return request.state.equals("done") ? json.put("revision", 1) : json;
  }

  private void follow(HttpExchange exchange, String id) throws IOException {
    Optional<Request> request =
        requests.values().stream().filter(known -> known.id.equals(id)).findFirst();
    if (request.isEmpty()) {
      answer(exchange, 404, JSON.createObjectNode());
      return;
    }
    exchange.getResponseHeaders().add("Content-Type", "text/event-stream");
    exchange.sendResponseHeaders(200, 0);
    try (OutputStream out = exchange.getResponseBody()) {
      event(out, request.get());
      request.get().ended.await();
      event(out, request.get());
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private static void event(OutputStream out, Request request) throws IOException {
    out.write(("event: request\ndata: " + json(request) + "\n\n").getBytes(StandardCharsets.UTF_8));
    out.flush();
  }

  private static void answer(HttpExchange exchange, int status, ObjectNode json)
      throws IOException {
    byte[] bytes = json.toString().getBytes(StandardCharsets.UTF_8);
    exchange.sendResponseHeaders(status, bytes.length);
    exchange.getResponseBody().write(bytes);
  }

  @Override
  public void close() {
    threads.shutdownNow();
    server.stop(0);
  }
}
