package io.lamina.gateway.http;

import io.lamina.gateway.problem.GatewayException;
import io.lamina.gateway.settings.GatewaySettings;
import io.vertx.core.DeploymentOptions;
import io.vertx.core.Future;
import io.vertx.core.Vertx;
import java.time.Duration;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicInteger;

/** All HTTP servers of the process, one per event loop. Thread-safe. */
public final class HttpEdge implements AutoCloseable {
  private static final Duration START_TIMEOUT = Duration.ofSeconds(60);
  private static final int MAX_LOOPS = 8;

  private final Vertx vertx;
  private final GatewaySettings settings;
  private final Blocking blocking;
  private final EventStreams streams;
  private final int port;

  private HttpEdge(
      Vertx vertx, GatewaySettings settings, Blocking blocking, EventStreams streams, int port) {
    this.vertx = vertx;
    this.settings = settings;
    this.blocking = blocking;
    this.streams = streams;
    this.port = port;
  }

  /**
   * Starts to listen; blocks until it does.
   *
   * @throws GatewayException.Fatal if it cannot
   */
  public static HttpEdge start(Vertx vertx, GatewayServices services) {
    GatewaySettings settings = services.settings();
    SharedLimits limits = SharedLimits.of(settings, services.metrics());
    Blocking blocking = new Blocking(vertx);
    EventStreams streams =
        new EventStreams(
            services.live(),
            services.submissions(),
            limits.eventStreams(),
            settings.limits().eventBacklog(),
            settings.timeouts().heartbeat());
    AtomicInteger port = new AtomicInteger();
    int loops = Math.min(MAX_LOOPS, Runtime.getRuntime().availableProcessors());
    try {
      Contract contract = await(Contract.load(vertx));
      await(
          vertx.deployVerticle(
              () -> new GatewayVerticle(services, limits, blocking, contract, streams, port),
              new DeploymentOptions().setInstances(loops)));
      return new HttpEdge(vertx, settings, blocking, streams, port.get());
    } catch (ExecutionException | TimeoutException e) {
      blocking.close();
      Throwable cause = e.getCause() == null ? e : e.getCause();
      throw new GatewayException.Fatal(
          "cannot serve on "
              + settings.listen().host()
              + ":"
              + settings.listen().port()
              + ": "
              + cause.getMessage()
              + "; is the port in use (gateway.listen.port)?",
          cause);
    }
  }

  private static <T> T await(Future<T> future) throws ExecutionException, TimeoutException {
    return Waiting.on(future, START_TIMEOUT);
  }

  public int port() {
    return port;
  }

  /** Takes no more, lets what is under way finish for the shutdown timeout, then closes. */
  @Override
  public void close() {
    streams.close();
    try {
      Waiting.on(
          Future.all(vertx.deploymentIDs().stream().map(vertx::undeploy).toList()),
          settings.timeouts().shutdown().plusSeconds(1));
    } catch (ExecutionException | TimeoutException e) {
      // Whoever is still connected has had the time that was set; closing Vert.x cuts them off.
    }
    blocking.close();
  }
}
