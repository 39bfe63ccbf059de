package io.lamina.node.status;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import io.vertx.core.Vertx;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpMethod;
import io.vertx.core.http.HttpServer;
import io.vertx.core.http.HttpServerOptions;
import io.vertx.core.http.HttpServerRequest;
import io.vertx.core.net.SocketAddress;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Status, health and metrics over HTTP, on a socket of its own and, if wanted, on a port. A driver
 * works without it: what goes wrong here is logged. Thread-safe.
 *
 * <p>Source: docs/plugin-node.md, "Status".
 */
public final class StatusServer implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(StatusServer.class);
  private static final String JSON = "application/json";
  private static final String METRICS = "text/plain; version=0.0.4; charset=utf-8";
  private static final int IDLE_SECONDS = 60;
  private static final long STOP_SECONDS = 2;

  private final Vertx vertx;
  private final Supplier<NodeStatus> status;
  private final NodeMetrics metrics;
  private final Path socket;

  /** Guarded by this. */
  private final List<HttpServer> servers = new ArrayList<>();

  private StatusServer(Vertx vertx, Supplier<NodeStatus> status, NodeMetrics metrics, Path socket) {
    this.vertx = vertx;
    this.status = status;
    this.metrics = metrics;
    this.socket = socket;
  }

  /**
   * Begins to serve, and does not wait for it.
   *
   * @param status is asked for each request, on a thread that may block
   * @param socket replaced if it is there: its folder belongs to this process alone
   */
  public static StatusServer start(
      Vertx vertx,
      Supplier<NodeStatus> status,
      NodeMetrics metrics,
      Path socket,
      Optional<ListenAddress> port) {
    StatusServer server = new StatusServer(vertx, status, metrics, socket);
    try {
      Files.createDirectories(
          socket.getParent(),
          PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
      Files.deleteIfExists(socket);
      server.listen(SocketAddress.domainSocketAddress(socket.toString()));
    } catch (IOException e) {
      LOG.atError().addKeyValue("socket", socket).setCause(e).log("status cannot be served");
    }
    port.ifPresent(
        address -> server.listen(SocketAddress.inetSocketAddress(address.port(), address.host())));
    return server;
  }

  private synchronized void listen(SocketAddress address) {
    HttpServer server =
        vertx
            .createHttpServer(new HttpServerOptions().setIdleTimeout(IDLE_SECONDS))
            .requestHandler(this::handle);
    servers.add(server);
    server
        .listen(address)
        .onSuccess(
            _ -> {
              if (address.isDomainSocket()) {
                protect();
              }
              LOG.atInfo().addKeyValue("address", address).log("status is served");
            })
        .onFailure(
            e ->
                LOG.atError()
                    .addKeyValue("address", address)
                    .addKeyValue("cause", e.toString())
                    .log("status cannot be served"));
  }

  private void protect() {
    try {
      Files.setPosixFilePermissions(socket, PosixFilePermissions.fromString("rw-------"));
    } catch (IOException e) {
      LOG.atWarn().addKeyValue("socket", socket).setCause(e).log("socket cannot be protected");
    }
  }

  private void handle(HttpServerRequest request) {
    if (request.method() != HttpMethod.GET && request.method() != HttpMethod.HEAD) {
      answer(request, 405, JSON, "{\"error\":\"only GET\"}");
      return;
    }
    switch (request.path() == null ? "" : request.path()) {
      case "/health/live" -> answer(request, 200, JSON, "{\"status\":\"up\"}");
      case "/health/ready" ->
          asked(request, now -> answer(request, now.isReady() ? 200 : 503, JSON, ready(now)));
      case "/status" ->
          asked(request, now -> answer(request, 200, JSON, NodeStatusJson.of(now).toString()));
      case "/metrics" ->
          vertx
              .executeBlocking(() -> metrics.scrape(status.get()), false)
              .onSuccess(text -> answer(request, 200, METRICS, text))
              .onFailure(e -> failed(request, e));
      default ->
          answer(
              request,
              404,
              JSON,
              "{\"error\":\"there are /status, /metrics, /health/live and /health/ready\"}");
    }
  }

  private static String ready(NodeStatus now) {
    return JsonNodeFactory.instance
        .objectNode()
        .put("status", now.isReady() ? "up" : "down")
        .put("problem", now.problem().orElse(null))
        .toString();
  }

  private interface Answer {
    void with(NodeStatus now);
  }

  private void asked(HttpServerRequest request, Answer answer) {
    vertx
        .executeBlocking(status::get, false)
        .onSuccess(answer::with)
        .onFailure(e -> failed(request, e));
  }

  private static void failed(HttpServerRequest request, Throwable e) {
    LOG.atError().addKeyValue("path", request.path()).setCause(e).log("status failed");
    answer(request, 500, JSON, "{\"error\":\"the status cannot be told; see the log\"}");
  }

  private static void answer(HttpServerRequest request, int code, String type, String body) {
    if (!request.response().closed()) {
      request
          .response()
          .setStatusCode(code)
          .putHeader("Content-Type", type)
          .putHeader("Cache-Control", "no-store")
          .end(Buffer.buffer(body));
    }
  }

  @Override
  public synchronized void close() {
    for (HttpServer server : servers) {
      try {
        server
            .close()
            .toCompletionStage()
            .toCompletableFuture()
            .get(STOP_SECONDS, TimeUnit.SECONDS);
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
      } catch (ExecutionException | TimeoutException e) {
        LOG.atDebug().setCause(e).log("status did not stop in time");
      }
    }
    try {
      Files.deleteIfExists(socket);
    } catch (IOException e) {
      LOG.atDebug().addKeyValue("socket", socket).setCause(e).log("socket stays behind");
    }
  }
}
