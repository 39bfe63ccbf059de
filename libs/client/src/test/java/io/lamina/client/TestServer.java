package io.lamina.client;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;

/** A web server on loopback that serves files, and misbehaves on demand. */
public final class TestServer implements AutoCloseable {
  /** What it does to requests. */
  public enum Mood {
    SERVES,
    /** Answers 503. */
    FAILS,
    /** Answers 404. */
    LACKS,
    /** Sends half of the file and then nothing. */
    STALLS,
    /** Sends half of the file and hangs up. */
    CUTS,
    /** Sends a byte at a time. */
    DRIPS,
    /** Changes one byte of every object. */
    TAMPERS,
    /** The same, but not if it is asked to pass caches by. */
    TAMPERS_WHEN_CACHED
  }

  private final Map<String, byte[]> files;
  private final ExecutorService executor = Executors.newVirtualThreadPerTaskExecutor();
  private final CountDownLatch closing = new CountDownLatch(1);
  private final Map<String, AtomicInteger> requests = new ConcurrentHashMap<>();
  private final int port;
  private volatile Mood mood = Mood.SERVES;
  private volatile CountDownLatch gate = new CountDownLatch(0);
  private volatile HttpServer server;

  public TestServer(Map<String, byte[]> files) {
    this.files = files;
    this.server = start(0);
    this.port = server.getAddress().getPort();
  }

  private HttpServer start(int wantedPort) {
    try {
      HttpServer started =
          HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), wantedPort), 0);
      started.setExecutor(executor);
      started.createContext("/", this::serve);
      started.start();
      return started;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  public String url() {
    return "http://127.0.0.1:" + port;
  }

  public int port() {
    return port;
  }

  public TestServer is(Mood next) {
    mood = next;
    return this;
  }

  /** Refuses connections. */
  public void goAway() {
    server.stop(0);
  }

  public void comeBack() {
    server = start(port);
  }

  /** Requests wait until the returned latch is released. */
  public CountDownLatch hold() {
    CountDownLatch held = new CountDownLatch(1);
    gate = held;
    return held;
  }

  /** How often each path was asked for. */
  public Map<String, Integer> requests() {
    Map<String, Integer> counts = new TreeMap<>();
    requests.forEach((path, count) -> counts.put(path, count.get()));
    return counts;
  }

  public int total() {
    return requests.values().stream().mapToInt(AtomicInteger::get).sum();
  }

  public void forgetRequests() {
    requests.clear();
  }

  private void serve(HttpExchange exchange) throws IOException {
    String path = exchange.getRequestURI().getPath().replaceFirst("^/+", "");
    requests.computeIfAbsent(path, _ -> new AtomicInteger()).incrementAndGet();
    try (exchange) {
      gate.await();
      byte[] content = files.get(path);
      Mood now = mood;
      if (now == Mood.FAILS || now == Mood.LACKS || content == null) {
        exchange.sendResponseHeaders(now == Mood.FAILS ? 503 : 404, -1);
        return;
      }
      exchange.sendResponseHeaders(200, content.length == 0 ? -1 : content.length);
      boolean isFresh = exchange.getRequestHeaders().containsKey("Cache-Control");
      send(exchange, content, path, now, isFresh);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private void send(HttpExchange exchange, byte[] content, String path, Mood now, boolean isFresh)
      throws IOException, InterruptedException {
    var body = exchange.getResponseBody();
    switch (now) {
      case STALLS, CUTS -> {
        body.write(content, 0, content.length / 2);
        body.flush();
        if (now == Mood.STALLS) {
          closing.await();
        }
      }
      case DRIPS -> {
        for (byte each : content) {
          body.write(each);
          body.flush();
          if (closing.await(20, TimeUnit.MILLISECONDS)) {
            return;
          }
        }
      }
      case TAMPERS, TAMPERS_WHEN_CACHED -> {
        byte[] changed = content.clone();
        if (path.startsWith("data/") && !(isFresh && now == Mood.TAMPERS_WHEN_CACHED)) {
          changed[changed.length / 2] ^= 1;
        }
        body.write(changed);
      }
      case SERVES, FAILS, LACKS -> body.write(content);
    }
  }

  @Override
  public void close() {
    closing.countDown();
    gate.countDown();
    server.stop(0);
    executor.shutdownNow();
  }
}
