package io.lamina.status;

import io.lamina.status.Page.Answer;
import io.vertx.core.Future;
import io.vertx.core.Vertx;
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
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A few read-only pages over HTTP, on sockets and ports of their own; {@code /health/live} is
 * always one of them. Thread-safe.
 */
public final class StatusServer implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(StatusServer.class);
  private static final int IDLE_SECONDS = 60;
  private static final long STOP_SECONDS = 2;

  private final Vertx vertx;
  private final SortedMap<String, Page> pages;

  /** Guarded by this. */
  private final List<HttpServer> servers = new ArrayList<>();

  /** Guarded by this. */
  private final List<Path> sockets = new ArrayList<>();

  /**
   * Serves nowhere yet.
   *
   * @param pages by path
   */
  public StatusServer(Vertx vertx, Map<String, Page> pages) {
    this.vertx = vertx;
    this.pages = new TreeMap<>(pages);
    this.pages.put("/health/live", () -> Answer.json(200, "{\"status\":\"up\"}"));
  }

  /**
   * Begins to serve whoever reaches the port; does not wait for it.
   *
   * @return fails if it cannot listen there, which is logged too
   */
  public CompletableFuture<Void> listen(ListenAddress address) {
    return listen(SocketAddress.inetSocketAddress(address.port(), address.host()))
        .toCompletionStage()
        .toCompletableFuture();
  }

  /**
   * Begins to serve this process's user alone; does not wait for it.
   *
   * @param socket replaced if it is there: its folder belongs to this process alone
   * @return fails if it cannot listen there, which is logged too
   */
  public CompletableFuture<Void> listen(Path socket) {
    try {
      Files.createDirectories(
          socket.getParent(),
          PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
      Files.deleteIfExists(socket);
    } catch (IOException e) {
      LOG.atError().addKeyValue("socket", socket).setCause(e).log("status cannot be served");
      return CompletableFuture.failedFuture(e);
    }
    synchronized (this) {
      sockets.add(socket);
    }
    return listen(SocketAddress.domainSocketAddress(socket.toString()))
        .onSuccess(_ -> protect(socket))
        .toCompletionStage()
        .toCompletableFuture();
  }

  private synchronized Future<Void> listen(SocketAddress address) {
    HttpServer server =
        vertx
            .createHttpServer(new HttpServerOptions().setIdleTimeout(IDLE_SECONDS))
            .requestHandler(this::handle);
    servers.add(server);
    return server
        .listen(address)
        .onSuccess(_ -> LOG.atInfo().addKeyValue("address", address).log("status is served"))
        .onFailure(
            e ->
                LOG.atError()
                    .addKeyValue("address", address)
                    .addKeyValue("cause", e.toString())
                    .log("status cannot be served"))
        .mapEmpty();
  }

  private static void protect(Path socket) {
    try {
      Files.setPosixFilePermissions(socket, PosixFilePermissions.fromString("rw-------"));
    } catch (IOException e) {
      LOG.atWarn().addKeyValue("socket", socket).setCause(e).log("socket cannot be protected");
    }
  }

  private void handle(HttpServerRequest request) {
    if (request.method() != HttpMethod.GET && request.method() != HttpMethod.HEAD) {
      answer(request, Answer.json(405, "{\"error\":\"only GET\"}"));
      return;
    }
    Page page = pages.get(request.path() == null ? "" : request.path());
    if (page == null) {
      String paths = String.join(", ", pages.keySet());
      answer(request, Answer.json(404, "{\"error\":\"there are " + paths + "\"}"));
      return;
    }
    vertx
        .executeBlocking(page::show, false)
        .onSuccess(answer -> answer(request, answer))
        .onFailure(e -> failed(request, e));
  }

  private static void failed(HttpServerRequest request, Throwable e) {
    LOG.atError().addKeyValue("path", request.path()).setCause(e).log("status failed");
    answer(request, Answer.json(500, "{\"error\":\"the status cannot be told; see the log\"}"));
  }

  private static void answer(HttpServerRequest request, Answer answer) {
    if (!request.response().closed()) {
      request
          .response()
          .setStatusCode(answer.code())
          .putHeader("Content-Type", answer.type())
          .putHeader("Cache-Control", "no-store")
          .end(answer.body());
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
    for (Path socket : sockets) {
      try {
        Files.deleteIfExists(socket);
      } catch (IOException e) {
        LOG.atDebug().addKeyValue("socket", socket).setCause(e).log("socket stays behind");
      }
    }
  }
}
