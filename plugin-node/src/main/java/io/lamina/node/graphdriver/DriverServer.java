package io.lamina.node.graphdriver;

import io.vertx.core.Context;
import io.vertx.core.Future;
import io.vertx.core.Handler;
import io.vertx.core.VerticleBase;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpHeaders;
import io.vertx.core.http.HttpMethod;
import io.vertx.core.http.HttpServer;
import io.vertx.core.http.HttpServerOptions;
import io.vertx.core.http.HttpServerRequest;
import io.vertx.core.http.HttpServerResponse;
import io.vertx.core.net.SocketAddress;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The protocol on its socket: reads requests, has them done on threads of their own, and answers as
 * the engine needs it. The event loop only parses and moves bytes.
 *
 * <p>Source: docs/protocol/graphdriver.md.
 */
final class DriverServer extends VerticleBase {
  private static final Logger LOG = LoggerFactory.getLogger(DriverServer.class);
  private static final String MEDIA_TYPE = "application/vnd.docker.plugins.v1.2+json";
  private static final int BACKLOG = 1024;
  private static final int CHUNK_BYTES = 64 << 10;
  private static final Duration STOP = Duration.ofSeconds(3);

  private final GraphDriver driver;
  private final CallThreads threads;
  private final DriverDeadlines deadlines;
  private final Path socket;
  private final CallObserver observer;
  private @Nullable HttpServer server;

  DriverServer(
      GraphDriver driver,
      CallThreads threads,
      DriverDeadlines deadlines,
      Path socket,
      CallObserver observer) {
    this.observer = observer;
    this.driver = driver;
    this.threads = threads;
    this.deadlines = deadlines;
    this.socket = socket;
  }

  @Override
  public Future<?> start() {
    HttpServer created =
        vertx.createHttpServer(
            new HttpServerOptions()
                .setHttp2ClearTextEnabled(false)
                .setCompressionSupported(false)
                .setHandle100ContinueAutomatically(true)
                // The engine keeps idle connections and takes their end for a lost answer.
                .setIdleTimeout(0)
                .setAcceptBacklog(BACKLOG)
                .setMaxChunkSize(CHUNK_BYTES));
    server = created;
    created.requestHandler(this::handle);
    return created.listen(SocketAddress.domainSocketAddress(socket.toString()));
  }

  @Override
  public Future<?> stop() {
    HttpServer running = server;
    return running == null
        ? Future.succeededFuture()
        : running.shutdown(STOP.toMillis(), TimeUnit.MILLISECONDS);
  }

  private void handle(HttpServerRequest request) {
    Optional<DriverCall> known = DriverCall.of(request.path() == null ? "" : request.path());
    if (known.isEmpty()) {
      refuse(request, 404, "there is no call '" + request.path() + "'");
      return;
    }
    if (request.method() != HttpMethod.POST) {
      refuse(request, 405, "calls are POST requests, not " + request.method());
      return;
    }
    DriverCall call = known.get();
    long startNanos = System.nanoTime();
    request
        .response()
        .endHandler(
            _ -> observer.ended(call.word(), Duration.ofNanos(System.nanoTime() - startNanos)));
    switch (call) {
      case ACTIVATE -> answer(request, AnswerJson.activation());
      case CAPABILITIES -> answer(request, AnswerJson.capabilities());
      case APPLY_DIFF -> applyDiff(request);
      case STATUS ->
          withBody(
              call,
              request,
              _ -> reply(call, request, () -> AnswerJson.status(driver.status()), _ -> {}));
      case CLEANUP -> withBody(call, request, _ -> act(call, request, driver::cleanup));
      case INIT ->
          withBody(
              call,
              request,
              body -> {
                Session session = RequestJson.session(call, body);
                act(call, request, () -> driver.init(session));
              });
      case CREATE,
          CREATE_READ_WRITE,
          REMOVE,
          GET,
          PUT,
          EXISTS,
          METADATA,
          DIFF,
          CHANGES,
          DIFF_SIZE ->
          withBody(call, request, body -> onLayer(call, request, RequestJson.layer(call, body)));
    }
  }

  private void onLayer(DriverCall call, HttpServerRequest request, LayerRequest layer) {
    String id = layer.id();
    switch (call) {
      case CREATE ->
          reply(
              call,
              request,
              () -> {
                driver.create(layer);
                return AnswerJson.done();
              },
              _ -> driver.remove(id));
      case CREATE_READ_WRITE ->
          reply(
              call,
              request,
              () -> {
                driver.createReadWrite(layer);
                return AnswerJson.done();
              },
              _ -> driver.remove(id));
      case REMOVE -> act(call, request, () -> driver.remove(id));
      case GET ->
          reply(
              call,
              request,
              () -> AnswerJson.folder(driver.get(id, layer.mountLabel())),
              _ -> driver.put(id));
      case PUT -> act(call, request, () -> driver.put(id));
      case EXISTS -> reply(call, request, () -> AnswerJson.exists(driver.exists(id)), _ -> {});
      case METADATA ->
          reply(call, request, () -> AnswerJson.metadata(driver.metadata(id)), _ -> {});
      case DIFF_SIZE ->
          reply(call, request, () -> AnswerJson.size(driver.diffSize(id, layer.parent())), _ -> {});
      case DIFF -> stream(call, request, out -> driver.diff(id, layer.parent(), out));
      case CHANGES ->
          stream(
              call,
              request,
              out ->
                  AnswerJson.changes(out, changes -> driver.changes(id, layer.parent(), changes)));
      case ACTIVATE, INIT, CAPABILITIES, STATUS, CLEANUP, APPLY_DIFF ->
          throw new IllegalArgumentException(call + " is not about a layer alone");
    }
  }

  /** Collects a small body; a long one is refused once it has passed. */
  private void withBody(DriverCall call, HttpServerRequest request, Consumer<byte[]> then) {
    Buffer body = Buffer.buffer();
    boolean[] tooLong = new boolean[1];
    Handler<Buffer> collect =
        part -> {
          if (tooLong[0] || body.length() + part.length() > RequestJson.MAX_BYTES) {
            tooLong[0] = true;
          } else {
            body.appendBuffer(part);
          }
        };
    request.exceptionHandler(
        e ->
            LOG.atDebug()
                .addKeyValue("call", call.word())
                .addKeyValue("cause", e.toString())
                .log("request broke off"));
    request.handler(collect);
    request.endHandler(
        _ -> {
          try {
            if (tooLong[0]) {
              throw new DriverException.Malformed(
                  call.word() + ": the body is longer than " + RequestJson.MAX_BYTES + " bytes");
            }
            then.accept(body.getBytes());
          } catch (DriverException e) {
            fail(call, request, e);
          }
        });
  }

  private void act(DriverCall call, HttpServerRequest request, Runnable action) {
    reply(
        call,
        request,
        () -> {
          action.run();
          return AnswerJson.done();
        },
        _ -> {});
  }

  private void reply(
      DriverCall call, HttpServerRequest request, Callable<Buffer> work, Consumer<Buffer> undo) {
    threads
        .call(call.word(), deadlines.of(call), work, undo)
        .onSuccess(body -> answer(request, body))
        .onFailure(failure -> fail(call, request, failure));
  }

  private void applyDiff(HttpServerRequest request) {
    RequestStream archive = new RequestStream(request, context);
    // Also a refused archive is read to its end: an answer before that may be lost.
    threads
        .call(
            () -> {
              try {
                long size =
                    driver.applyDiff(
                        parameter(request, "id", true),
                        parameter(request, "parent", false),
                        archive);
                archive.drain();
                return size;
              } catch (RuntimeException e) {
                archive.drain();
                throw e;
              }
            })
        .onSuccess(size -> answer(request, AnswerJson.size(size)))
        .onFailure(failure -> fail(DriverCall.APPLY_DIFF, request, failure));
  }

  private static String parameter(HttpServerRequest request, String name, boolean required) {
    List<String> values = request.params().getAll(name);
    if (values.size() > 1 || (required && (values.isEmpty() || values.getFirst().isEmpty()))) {
      throw new DriverException.Malformed(
          DriverCall.APPLY_DIFF.word() + ": name the '" + name + "' once");
    }
    return values.isEmpty() ? "" : values.getFirst();
  }

  /** Work whose result is written as it is made. */
  private interface Streaming {
    void to(ResponseStream out) throws IOException;
  }

  private void stream(DriverCall call, HttpServerRequest request, Streaming work) {
    HttpServerResponse response = request.response();
    if (call == DriverCall.CHANGES) {
      response.putHeader(HttpHeaders.CONTENT_TYPE, MEDIA_TYPE);
    }
    Context here = context;
    ResponseStream out = new ResponseStream(response, here);
    Duration deadline = deadlines.of(call);
    long timer =
        vertx.setTimer(
            deadline.toMillis(),
            _ -> {
              if (out.giveUp()) {
                fail(
                    call,
                    request,
                    new DriverException.Retryable(
                        call.word()
                            + " had nothing to send within "
                            + deadline.toSeconds()
                            + " s"));
              }
            });
    threads
        .call(
            () -> {
              work.to(out);
              out.finish();
              return true;
            })
        .onFailure(
            failure -> {
              if (out.giveUp()) {
                fail(call, request, failure);
              } else {
                breakOff(call, request, failure);
              }
            })
        .onComplete(_ -> vertx.cancelTimer(timer));
  }

  /** Ends without the mark of a complete body, which is all that an engine can tell by. */
  private void breakOff(DriverCall call, HttpServerRequest request, Throwable failure) {
    if (!request.response().ended()) {
      observer.failed(call.word());
      LOG.atWarn()
          .addKeyValue("call", call.word())
          .addKeyValue("cause", failure.toString())
          .log("answer broken off");
      request.connection().close();
    }
  }

  private static void answer(HttpServerRequest request, Buffer body) {
    HttpServerResponse response = request.response();
    if (response.closed() || response.ended()) {
      return;
    }
    response.putHeader(HttpHeaders.CONTENT_TYPE, MEDIA_TYPE).end(body);
  }

  private static void refuse(HttpServerRequest request, int status, String message) {
    request.response().setStatusCode(status);
    answer(request, AnswerJson.error(message));
  }

  /**
   * An error in the answer's body reaches the user as it is; a status keeps the engine from taking
   * an error for an archive.
   */
  private void fail(DriverCall call, HttpServerRequest request, Throwable failure) {
    observer.failed(call.word());
    String message;
    int status;
    switch (failure) {
      case DriverException.Malformed e -> {
        message = said(e);
        status = 400;
      }
      case DriverException e -> {
        message = said(e);
        status = 200;
      }
      case IOException e -> {
        message = call.word() + ": " + e.getMessage();
        status = 200;
      }
      default -> {
        LOG.atError().addKeyValue("call", call.word()).setCause(failure).log("call failed");
        message = call.word() + ": internal error: " + failure;
        status = 200;
      }
    }
    LOG.atWarn()
        .addKeyValue("call", call.word())
        .addKeyValue("reason", message)
        .log("call refused");
    request.response().setStatusCode(call == DriverCall.DIFF && status == 200 ? 500 : status);
    answer(request, AnswerJson.error(message));
  }

  private static String said(DriverException e) {
    return e.getMessage() == null ? e.toString() : e.getMessage();
  }
}
