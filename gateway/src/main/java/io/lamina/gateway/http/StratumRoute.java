package io.lamina.gateway.http;

import io.lamina.cvmfs.RepositoryName;
import io.lamina.gateway.problem.ProblemType;
import io.lamina.gateway.stratum.StratumFiles;
import io.lamina.gateway.stratum.StratumPath;
import io.lamina.storage.StorageException;
import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.MeterRegistry;
import io.vertx.core.Context;
import io.vertx.core.Future;
import io.vertx.core.Vertx;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpMethod;
import io.vertx.core.http.HttpServerRequest;
import io.vertx.core.http.HttpServerResponse;
import io.vertx.core.http.HttpVersion;
import java.io.IOException;
import java.io.InputStream;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/**
 * Serves the repositories' files. Local files go out by sendfile on HTTP/1; everything else through
 * one buffer per request, filled when the one before has been taken. Used on the requests'
 * contexts.
 */
final class StratumRoute {
  private static final int BUFFER_BYTES = 64 << 10;
  private static final long WRITE_TIMEOUT_SECONDS = 60;

  private final Vertx vertx;
  private final StratumFiles files;
  private final Blocking blocking;
  private final Limit proxied;
  private final Counter found;
  private final Counter missing;
  private final Counter bytes;

  /**
   * @param proxied bounds the answers that are copied by a thread
   */
  StratumRoute(
      Vertx vertx, StratumFiles files, Blocking blocking, Limit proxied, MeterRegistry metrics) {
    this.vertx = vertx;
    this.files = files;
    this.blocking = blocking;
    this.proxied = proxied;
    this.found = metrics.counter("gateway.stratum.requests", "result", "found");
    this.missing = metrics.counter("gateway.stratum.requests", "result", "missing");
    this.bytes = metrics.counter("gateway.stratum.bytes");
  }

  void handle(HttpServerRequest request) {
    if (!request.method().equals(HttpMethod.GET) && !request.method().equals(HttpMethod.HEAD)) {
      request.response().putHeader("Allow", "GET, HEAD");
      refuse(request, Problems.status(405));
      return;
    }
    Optional<StratumPath> path = StratumPath.parse(request.path());
    if (path.isEmpty()) {
      notFound(request);
      return;
    }
    vertx
        .executeBlocking(() -> files.open(path.get()), false)
        .onSuccess(file -> answer(request, path.get(), file))
        .onFailure(failure -> refuse(request, failure));
  }

  private void answer(
      HttpServerRequest request, StratumPath path, Optional<StratumFiles.Opened> file) {
    if (file.isEmpty()) {
      notFound(request);
      return;
    }
    found.increment();
    StratumFiles.Opened opened = file.get();
    HttpServerResponse response = request.response();
    response
        .putHeader("Content-Type", path.contentType())
        .putHeader("Cache-Control", path.cacheControl())
        .putHeader("X-Content-Type-Options", "nosniff")
        .putHeader("Content-Length", Long.toString(opened.sizeBytes()));
    if (request.method().equals(HttpMethod.HEAD) || response.closed()) {
      opened.close();
      response.end();
      return;
    }
    bytes.increment((double) opened.sizeBytes());
    if (opened instanceof StratumFiles.Local local && request.version() != HttpVersion.HTTP_2) {
      response.sendFile(local.channel(), 0, local.sizeBytes()).onComplete(sent -> local.close());
    } else {
      copy(request, opened);
    }
  }

  private void copy(HttpServerRequest request, StratumFiles.Opened opened) {
    HttpServerResponse response = request.response();
    if (!proxied.tryAcquire()) {
      opened.close();
      response.headers().remove("Content-Length");
      refuse(
          request,
          new Problems.Problem(
              ProblemType.UNAVAILABLE,
              "too many files are being read; try again",
              Optional.of(java.time.Duration.ofSeconds(1))));
      return;
    }
    Context context = vertx.getOrCreateContext();
    blocking
        .call(
            () -> {
              try (opened;
                  InputStream in = opened.stream()) {
                pump(in, opened.sizeBytes(), context, response);
              }
              return opened.sizeBytes();
            })
        .onComplete(done -> proxied.release())
        .onSuccess(sent -> response.end())
        .onFailure(failure -> refuse(request, failure));
  }

  /** One buffer is under way at a time: the next is read when the connection has taken it. */
  private static void pump(
      InputStream in, long sizeBytes, Context context, HttpServerResponse response)
      throws IOException, InterruptedException {
    long left = sizeBytes;
    while (left > 0) {
      byte[] buffer = in.readNBytes((int) Math.min(BUFFER_BYTES, left));
      if (buffer.length == 0) {
        throw new IOException("the stored file ends " + left + " bytes early");
      }
      left -= buffer.length;
      CompletableFuture<Void> written = new CompletableFuture<>();
      context.runOnContext(
          now ->
              (response.closed()
                      ? Future.<Void>failedFuture(new IOException("the reader is gone"))
                      : response.write(Buffer.buffer(buffer)))
                  .onSuccess(ok -> written.complete(null))
                  .onFailure(written::completeExceptionally));
      try {
        written.get(WRITE_TIMEOUT_SECONDS, TimeUnit.SECONDS);
      } catch (ExecutionException | TimeoutException e) {
        throw new IOException("the reader does not take the file", e);
      }
    }
  }

  private void notFound(HttpServerRequest request) {
    missing.increment();
    request
        .response()
        .setStatusCode(404)
        .putHeader("Cache-Control", "max-age=61")
        .putHeader("Content-Length", "0")
        .end();
  }

  private static void refuse(HttpServerRequest request, Throwable failure) {
    if (failure instanceof StorageException.NotFound) {
      request.response().headers().remove("Content-Length");
    }
    refuse(request, Problems.of(failure, "-"));
  }

  private static void refuse(HttpServerRequest request, Problems.Problem problem) {
    Problems.write(request.response(), problem, "/cvmfs", null);
  }

  /** Whether the repository's manifest is served here; may block. */
  boolean serves(RepositoryName name) {
    try (StratumFiles.Opened manifest =
        files.open(new StratumPath(name, ".cvmfspublished")).orElse(null)) {
      return manifest != null;
    } catch (IOException | StorageException e) {
      return false;
    }
  }
}
