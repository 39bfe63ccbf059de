package io.lamina.standalone.pipeline;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import io.lamina.image.Digest;
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
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A registry as its clients see it, that counts which blobs are fetched and can hold one back.
 * Thread-safe.
 */
final class BlobProxy implements AutoCloseable {
  private static final Pattern BLOB = Pattern.compile("/v2/.+/blobs/(sha256:[0-9a-f]{64})");
  private static final Set<String> PASSED_ON =
      Set.of("accept", "authorization", "content-type", "range", "if-none-match");
  private static final Set<String> PASSED_BACK =
      Set.of(
          "content-type",
          "content-range",
          "docker-content-digest",
          "docker-distribution-api-version",
          "etag",
          "www-authenticate");
  private static final long PATIENCE_SECONDS = 90;

  /** A blob that is not given out yet. */
  static final class Held {
    private final CountDownLatch asked = new CountDownLatch(1);
    private final CountDownLatch released = new CountDownLatch(1);

    /** Returns when somebody wants the blob. */
    void awaitAsked() throws InterruptedException {
      if (!asked.await(PATIENCE_SECONDS, TimeUnit.SECONDS)) {
        throw new IllegalStateException("nobody asked for the blob");
      }
    }

    void release() {
      released.countDown();
    }
  }

  private final URI upstream;
  private final HttpClient client =
      HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();
  private final ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor();
  private final HttpServer server;
  private final Map<Digest, AtomicInteger> fetched = new ConcurrentHashMap<>();
  private final Map<Digest, Held> held = new ConcurrentHashMap<>();

  /**
   * @param upstream the registry's {@code HOST:PORT}
   */
  BlobProxy(String upstream) {
    this.upstream = URI.create("http://" + upstream);
    try {
      server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    server.setExecutor(threads);
    server.createContext("/", this::handle);
    server.start();
  }

  /** As references name it. */
  String host() {
    return "127.0.0.1:" + server.getAddress().getPort();
  }

  /** How often each blob was given out. */
  Map<Digest, Integer> fetched() {
    return fetched.entrySet().stream()
        .collect(
            java.util.stream.Collectors.toUnmodifiableMap(
                Map.Entry::getKey, entry -> entry.getValue().get()));
  }

  int fetched(Digest blob) {
    return fetched().getOrDefault(blob, 0);
  }

  /** Gives the blob out only when it is released. */
  Held hold(Digest blob) {
    Held holding = new Held();
    held.put(blob, holding);
    return holding;
  }

  private void handle(HttpExchange exchange) throws IOException {
    try (exchange) {
      Matcher blob = BLOB.matcher(exchange.getRequestURI().getPath());
      if (exchange.getRequestMethod().equals("GET") && blob.matches()) {
        awaitRelease(Digest.parse(blob.group(1)));
      }
      HttpResponse<InputStream> answer = client.send(request(exchange), responseBody());
      try (InputStream body = answer.body()) {
        if (exchange.getRequestMethod().equals("GET")
            && blob.matches()
            && answer.statusCode() / 100 == 2) {
          fetched
              .computeIfAbsent(Digest.parse(blob.group(1)), digest -> new AtomicInteger())
              .incrementAndGet();
        }
        answer
            .headers()
            .map()
            .forEach(
                (name, values) -> {
                  if (PASSED_BACK.contains(name.toLowerCase(java.util.Locale.ROOT))) {
                    exchange.getResponseHeaders().put(name, List.copyOf(values));
                  }
                });
        pass(exchange, answer, body);
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private static void pass(
      HttpExchange exchange, HttpResponse<InputStream> answer, InputStream body)
      throws IOException {
    long length = answer.headers().firstValueAsLong("Content-Length").orElse(0);
    if (exchange.getRequestMethod().equals("HEAD")) {
      exchange.getResponseHeaders().set("Content-Length", Long.toString(length));
      exchange.sendResponseHeaders(answer.statusCode(), -1);
      return;
    }
    exchange.sendResponseHeaders(answer.statusCode(), length == 0 ? -1 : length);
    if (length > 0) {
      try (OutputStream out = exchange.getResponseBody()) {
        body.transferTo(out);
      }
    }
  }

  private static HttpResponse.BodyHandler<InputStream> responseBody() {
    return HttpResponse.BodyHandlers.ofInputStream();
  }

  private HttpRequest request(HttpExchange exchange) throws IOException {
    byte[] body = exchange.getRequestBody().readAllBytes();
    HttpRequest.Builder request =
        HttpRequest.newBuilder(upstream.resolve(exchange.getRequestURI()))
            .method(
                exchange.getRequestMethod(),
                body.length == 0
                    ? HttpRequest.BodyPublishers.noBody()
                    : HttpRequest.BodyPublishers.ofByteArray(body));
    exchange
        .getRequestHeaders()
        .forEach(
            (name, values) -> {
              if (PASSED_ON.contains(name.toLowerCase(java.util.Locale.ROOT))) {
                values.forEach(value -> request.header(name, value));
              }
            });
    return request.build();
  }

  private void awaitRelease(Digest blob) throws InterruptedException {
    Held holding = held.get(blob);
    if (holding != null) {
      holding.asked.countDown();
      if (!holding.released.await(PATIENCE_SECONDS, TimeUnit.SECONDS)) {
        throw new IllegalStateException("the blob was never released");
      }
    }
  }

  @Override
  public void close() {
    held.values().forEach(Held::release);
    server.stop(0);
    threads.close();
    client.close();
  }
}
