package io.lamina.node.graphdriver;

import io.lamina.node.host.HostSocket;
import io.vertx.core.Future;
import io.vertx.core.Vertx;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A driver on its socket. Closing it removes the socket, lets calls finish for a few seconds, and
 * unmounts nothing. Thread-safe.
 */
public final class DriverEndpoint implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(DriverEndpoint.class);
  private static final Duration START = Duration.ofSeconds(30);
  private static final Duration STOP = Duration.ofSeconds(5);

  private final Vertx vertx;
  private final String deployment;
  private final CallThreads threads;
  private final HostSocket socket;

  private DriverEndpoint(Vertx vertx, String deployment, CallThreads threads, HostSocket socket) {
    this.vertx = vertx;
    this.deployment = deployment;
    this.threads = threads;
    this.socket = socket;
  }

  /**
   * Serves; returns when engines can connect.
   *
   * @param maxCalls under way at once
   * @throws DriverException.Fatal if the socket cannot be had
   */
  public static DriverEndpoint start(
      Vertx vertx, GraphDriver driver, DriverDeadlines deadlines, int maxCalls, Path path) {
    return start(vertx, driver, deadlines, maxCalls, path, CallObserver.NONE);
  }

  /** The same, telling of each call that ends. */
  public static DriverEndpoint start(
      Vertx vertx,
      GraphDriver driver,
      DriverDeadlines deadlines,
      int maxCalls,
      Path path,
      CallObserver observer) {
    HostSocket socket = prepared(path);
    CallThreads threads = new CallThreads(vertx, maxCalls);
    try {
      String deployment =
          await(
              vertx.deployVerticle(
                  new DriverServer(driver, threads, deadlines, socket.path(), observer)),
              START);
      socket.bound();
      LOG.atInfo().addKeyValue("socket", socket.path()).log("plugin serves");
      return new DriverEndpoint(vertx, deployment, threads, socket);
    } catch (IOException e) {
      threads.close();
      throw new DriverException.Fatal(String.valueOf(e.getMessage()), e);
    } catch (ExecutionException | TimeoutException e) {
      threads.close();
      throw new DriverException.Fatal(
          "cannot serve on " + socket.path() + ": " + (e.getCause() == null ? e : e.getCause()), e);
    }
  }

  private static HostSocket prepared(Path path) {
    try {
      HostSocket socket = new HostSocket(path);
      socket.prepare();
      return socket;
    } catch (IOException e) {
      throw new DriverException.Fatal(String.valueOf(e.getMessage()), e);
    }
  }

  /** Calls under way. */
  public int callsInUse() {
    return threads.inUse();
  }

  public Path socket() {
    return socket.path();
  }

  @Override
  public void close() {
    socket.remove();
    try {
      await(vertx.undeploy(deployment), STOP);
    } catch (ExecutionException | TimeoutException e) {
      LOG.atWarn().addKeyValue("cause", e.toString()).log("calls were cut off");
    }
    threads.close();
  }

  private static <T> T await(Future<T> future, Duration timeout)
      throws ExecutionException, TimeoutException {
    try {
      return future
          .toCompletionStage()
          .toCompletableFuture()
          .get(timeout.toMillis(), TimeUnit.MILLISECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new ExecutionException("interrupted while waiting", e);
    }
  }
}
