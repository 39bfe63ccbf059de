package io.lamina.image.registry;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import com.sun.net.httpserver.HttpsConfigurator;
import com.sun.net.httpserver.HttpsServer;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import javax.net.ssl.SSLContext;

/** A server on loopback that misbehaves exactly as a test says, and remembers what it was asked. */
final class FaultServer implements AutoCloseable {
  /** What to do with one request; the exchange is closed afterwards. */
  interface Handler {
    void handle(HttpExchange exchange) throws IOException;
  }

  /**
   * @param authorization as it came, or empty
   * @param range as it came, or empty
   */
  record Seen(String method, String path, String authorization, String range, String body) {}

  final List<Seen> seen = new CopyOnWriteArrayList<>();
  private final Map<String, Handler> handlers = new ConcurrentHashMap<>();
  private final ExecutorService executor = Executors.newVirtualThreadPerTaskExecutor();
  private final HttpServer server;
  private final String scheme;

  FaultServer() {
    this(Optional.empty());
  }

  FaultServer(Optional<SSLContext> tls) {
    try {
      InetSocketAddress address = new InetSocketAddress(InetAddress.getLoopbackAddress(), 0);
      if (tls.isPresent()) {
        HttpsServer secure = HttpsServer.create(address, 0);
        secure.setHttpsConfigurator(new HttpsConfigurator(tls.get()));
        server = secure;
        scheme = "https";
      } else {
        server = HttpServer.create(address, 0);
        scheme = "http";
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    server.createContext("/", this::dispatch);
    server.setExecutor(executor);
    server.start();
  }

  private void dispatch(HttpExchange exchange) throws IOException {
    try (exchange) {
      seen.add(
          new Seen(
              exchange.getRequestMethod(),
              exchange.getRequestURI().toString(),
              header(exchange, "Authorization"),
              header(exchange, "Range"),
              new String(exchange.getRequestBody().readAllBytes(), StandardCharsets.UTF_8)));
      Handler handler = handlers.get(exchange.getRequestURI().getPath());
      if (handler == null) {
        exchange.sendResponseHeaders(404, -1);
      } else {
        handler.handle(exchange);
      }
    }
  }

  private static String header(HttpExchange exchange, String name) {
    String value = exchange.getRequestHeaders().getFirst(name);
    return value == null ? "" : value;
  }

  FaultServer on(String path, Handler handler) {
    handlers.put(path, handler);
    return this;
  }

  /** Handlers one after the other; the last one stays. */
  FaultServer inTurn(String path, Handler... inTurn) {
    int[] count = {0};
    return on(
        path,
        exchange -> {
          Handler next;
          synchronized (count) {
            next = inTurn[Math.min(count[0]++, inTurn.length - 1)];
          }
          next.handle(exchange);
        });
  }

  static Handler answer(int status, byte[] body, String... headers) {
    return exchange -> {
      for (int i = 0; i < headers.length; i += 2) {
        exchange.getResponseHeaders().add(headers[i], headers[i + 1]);
      }
      boolean isHead = exchange.getRequestMethod().equals("HEAD");
      exchange.sendResponseHeaders(status, isHead || body.length == 0 ? -1 : body.length);
      if (!isHead && body.length > 0) {
        exchange.getResponseBody().write(body);
      }
    };
  }

  static Handler answer(int status, String body, String... headers) {
    return answer(status, body.getBytes(StandardCharsets.UTF_8), headers);
  }

  /** Promises all bytes, sends some, and hangs up. */
  static Handler cutAfter(int bytes, byte[] body) {
    return exchange -> {
      exchange.sendResponseHeaders(200, body.length);
      exchange.getResponseBody().write(body, 0, bytes);
      exchange.getResponseBody().flush();
    };
  }

  /**
   * Answers the range that was asked for, up to {@code limit} bytes, and hangs up if there are
   * more.
   */
  static Handler ranged(byte[] body, int limit) {
    return exchange -> {
      String range = header(exchange, "Range");
      int start = range.isEmpty() ? 0 : Integer.parseInt(range.replaceAll("\\D", ""));
      if (!range.isEmpty()) {
        exchange
            .getResponseHeaders()
            .add("Content-Range", "bytes " + start + "-" + (body.length - 1) + "/" + body.length);
      }
      exchange.sendResponseHeaders(range.isEmpty() ? 200 : 206, body.length - start);
      exchange.getResponseBody().write(body, start, Math.min(limit, body.length - start));
      exchange.getResponseBody().flush();
    };
  }

  String host() {
    return "127.0.0.1:" + server.getAddress().getPort();
  }

  String url(String path) {
    return scheme + "://" + host() + path;
  }

  List<Seen> seenAt(String path) {
    return seen.stream().filter(s -> s.path().replaceAll("\\?.*", "").equals(path)).toList();
  }

  @Override
  public void close() {
    server.stop(0);
    executor.shutdownNow();
  }
}
