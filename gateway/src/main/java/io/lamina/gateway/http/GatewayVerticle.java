package io.lamina.gateway.http;

import io.lamina.gateway.problem.ProblemType;
import io.lamina.gateway.settings.GatewaySettings;
import io.lamina.gateway.stratum.StratumPath;
import io.netty.handler.codec.TooLongFrameException;
import io.netty.handler.codec.http.TooLongHttpHeaderException;
import io.netty.handler.codec.http.TooLongHttpLineException;
import io.vertx.core.Future;
import io.vertx.core.VerticleBase;
import io.vertx.core.http.ClientAuth;
import io.vertx.core.http.Http2Settings;
import io.vertx.core.http.HttpConnection;
import io.vertx.core.http.HttpServer;
import io.vertx.core.http.HttpServerOptions;
import io.vertx.core.http.HttpServerRequest;
import io.vertx.core.http.HttpVersion;
import io.vertx.core.net.PemKeyCertOptions;
import io.vertx.core.net.PemTrustOptions;
import io.vertx.ext.web.Router;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/** One event loop's HTTP server; several share the port. */
public final class GatewayVerticle extends VerticleBase {
  private static final int HTTP2_STREAMS = 128;

  /** To Vert.x: any port that is free, but the same for all that ask for it. */
  private static final int ANY_SHARED_PORT = -1;

  private final GatewayServices services;
  private final SharedLimits limits;
  private final Blocking blocking;
  private final Contract contract;
  private final EventStreams streams;
  private final AtomicInteger boundPort;

  /** Timers of connections without a request yet; only touched on this verticle's context. */
  private final IdentityHashMap<HttpConnection, Long> deadlines = new IdentityHashMap<>();

  private @Nullable HttpServer server;

  GatewayVerticle(
      GatewayServices services,
      SharedLimits limits,
      Blocking blocking,
      Contract contract,
      EventStreams streams,
      AtomicInteger boundPort) {
    this.services = services;
    this.limits = limits;
    this.blocking = blocking;
    this.contract = contract;
    this.streams = streams;
    this.boundPort = boundPort;
  }

  @Override
  public Future<?> start() {
    StratumRoute stratum =
        new StratumRoute(vertx, services.stratum(), blocking, limits.copies(), services.metrics());
    Router router =
        new ApiRouter(vertx, contract, services, limits, blocking, streams, stratum).build();
    HttpServer created = vertx.createHttpServer(options());
    server = created;
    created.invalidRequestHandler(GatewayVerticle::refuseInvalid);
    created.connectionHandler(this::admit);
    created.requestHandler(
        request -> {
          cancelDeadline(request.connection());
          if (request.path() != null && request.path().startsWith(StratumPath.PREFIX)) {
            stratum.handle(request);
          } else if (isAddressedHere(request)) {
            router.handle(request);
          } else {
            refuseHost(request);
          }
        });
    return created.listen().onSuccess(s -> boundPort.set(s.actualPort()));
  }

  private void admit(HttpConnection connection) {
    if (!limits.connections().tryAcquire()) {
      connection.close();
      return;
    }
    // Who sends a byte now and then is never idle, so the first request has a deadline.
    deadlines.put(
        connection,
        vertx.setTimer(
            services.settings().timeouts().body().toMillis(), late -> connection.close()));
    connection.closeHandler(
        closed -> {
          cancelDeadline(connection);
          limits.connections().release();
        });
  }

  private void cancelDeadline(HttpConnection connection) {
    Long deadline = deadlines.remove(connection);
    if (deadline != null) {
      vertx.cancelTimer(deadline);
    }
  }

  private HttpServerOptions options() {
    GatewaySettings settings = services.settings();
    HttpServerOptions options =
        new HttpServerOptions()
            .setHost(settings.listen().host())
            .setPort(settings.listen().port() == 0 ? ANY_SHARED_PORT : settings.listen().port())
            .setMaxHeaderSize(settings.limits().headerBytes())
            .setMaxInitialLineLength(settings.limits().addressBytes())
            .setIdleTimeout((int) settings.timeouts().idle().toMillis())
            .setIdleTimeoutUnit(TimeUnit.MILLISECONDS)
            .setTcpNoDelay(true)
            .setHttp2ClearTextEnabled(true)
            .setInitialSettings(
                new Http2Settings()
                    .setMaxConcurrentStreams(HTTP2_STREAMS)
                    .setMaxHeaderListSize(settings.limits().headerBytes()));
    settings.tls().ifPresent(tls -> secure(options, tls));
    return options;
  }

  private static void secure(HttpServerOptions options, GatewaySettings.Tls tls) {
    options
        .setSsl(true)
        .setUseAlpn(true)
        .setAlpnVersions(List.of(HttpVersion.HTTP_2, HttpVersion.HTTP_1_1))
        .setKeyCertOptions(
            new PemKeyCertOptions()
                .setCertPath(tls.certificate().toString())
                .setKeyPath(tls.key().toString()));
    tls.clients()
        .ifPresent(
            authorities ->
                options
                    .setClientAuth(ClientAuth.REQUIRED)
                    .setTrustOptions(new PemTrustOptions().addCertPath(authorities.toString())));
  }

  /**
   * Without tokens the address is all that protects the API: a page of some other site whose name
   * is made to resolve to loopback is kept out by the name that its browser sends.
   */
  private boolean isAddressedHere(HttpServerRequest request) {
    return services.settings().tokensFile().isPresent()
        || (request.authority() != null && LoopbackNames.contains(request.authority().host()));
  }

  private static void refuseHost(HttpServerRequest request) {
    Problems.write(
        request.response(),
        Problems.Problem.of(
            ProblemType.FORBIDDEN,
            "a gateway without tokens answers only to localhost, 127.0.0.1 and [::1]; call it by one of"
                + " these, or set gateway.tokens.file"),
        request.path(),
        null);
  }

  private static void refuseInvalid(HttpServerRequest request) {
    Throwable cause = request.decoderResult().cause();
    Problems.Problem problem =
        switch (cause) {
          case TooLongHttpLineException e ->
              Problems.Problem.of(ProblemType.ADDRESS_TOO_LONG, "the request line is too long");
          case TooLongHttpHeaderException e ->
              Problems.Problem.of(ProblemType.HEADERS_TOO_LARGE, "the headers are too large");
          case TooLongFrameException e ->
              Problems.Problem.of(ProblemType.HEADERS_TOO_LARGE, "the headers are too large");
          case null, default ->
              Problems.Problem.of(ProblemType.INVALID_REQUEST, "this is not HTTP as it should be");
        };
    Problems.write(request.response(), problem, "/", null);
    request.connection().close();
  }

  @Override
  public Future<?> stop() {
    HttpServer running = server;
    return running == null
        ? Future.succeededFuture()
        : running.shutdown(
            services.settings().timeouts().shutdown().toMillis(), TimeUnit.MILLISECONDS);
  }
}
