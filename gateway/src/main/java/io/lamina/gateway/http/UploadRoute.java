package io.lamina.gateway.http;

import io.lamina.cvmfs.RepositoryName;
import io.lamina.gateway.access.Caller;
import io.lamina.gateway.problem.GatewayException;
import io.lamina.gateway.problem.ProblemType;
import io.lamina.gateway.upload.LayerUploads;
import io.lamina.image.Descriptor;
import io.lamina.image.Digest;
import io.lamina.image.ImageException;
import io.vertx.core.http.HttpHeaders;
import io.vertx.core.http.HttpServerRequest;
import io.vertx.core.json.JsonObject;
import io.vertx.ext.web.RoutingContext;
import java.io.IOException;
import java.time.Duration;
import java.util.List;

/** Streams layer archives in. Used on the requests' contexts. */
final class UploadRoute {
  private static final String MEDIA_TYPE = "application/octet-stream";
  private static final Duration BASE_DEADLINE = Duration.ofSeconds(60);

  /** Who is slower than this, in the mean, is cut off. */
  private static final long MIN_BYTES_PER_SECOND = 64 << 10;

  private final LayerUploads uploads;
  private final Blocking blocking;
  private final Limit limit;
  private final long maxBytes;

  UploadRoute(LayerUploads uploads, Blocking blocking, Limit limit, long maxBytes) {
    this.uploads = uploads;
    this.blocking = blocking;
    this.limit = limit;
    this.maxBytes = maxBytes;
  }

  void put(RoutingContext context) {
    HttpServerRequest request = context.request();
    Caller caller = Exchange.of(context).caller();
    RepositoryName repository;
    Descriptor layer;
    try {
      repository = repository(context, caller);
      layer = new Descriptor(MEDIA_TYPE, digest(context), length(request));
      limit.acquire();
    } catch (RuntimeException e) {
      DoomedRequests.drain(context.vertx(), request);
      throw e;
    }
    RequestBodyStream body =
        new RequestBodyStream(
            request, context.vertx().getOrCreateContext(), deadline(layer.sizeBytes()));
    if (HttpHeaders.CONTINUE.toString().equalsIgnoreCase(request.getHeader(HttpHeaders.EXPECT))) {
      context.response().writeContinue();
    }
    blocking
        .call(() -> uploads.store(repository, layer, body))
        .onComplete(done -> limit.release())
        .onSuccess(
            isNew -> {
              context.response().setStatusCode(isNew ? 201 : 200);
              Answers.json(context, upload(repository, layer.digest(), layer.sizeBytes()));
            })
        .onFailure(
            failure -> {
              DoomedRequests.drain(context.vertx(), request);
              context.fail(translate(failure, layer));
            });
  }

  void read(RoutingContext context) {
    RepositoryName repository = repository(context, Exchange.of(context).caller());
    Digest digest = digest(context);
    blocking
        .call(() -> uploads.find(repository, digest))
        .onSuccess(
            size ->
                size.ifPresentOrElse(
                    sizeBytes -> Answers.json(context, upload(repository, digest, sizeBytes)),
                    () ->
                        context.fail(
                            new GatewayException.Refused(
                                ProblemType.NOT_FOUND,
                                "the storage of repository '"
                                    + repository
                                    + "' has no upload "
                                    + digest))))
        .onFailure(context::fail);
  }

  private static JsonObject upload(RepositoryName repository, Digest digest, long sizeBytes) {
    return new JsonObject()
        .put("digest", digest.toString())
        .put("sizeBytes", sizeBytes)
        .put("repository", repository.value());
  }

  private static Throwable translate(Throwable failure, Descriptor layer) {
    return switch (failure) {
      case RequestBodyStream.BodyTimeout e ->
          new GatewayException.Refused(
              ProblemType.TIMEOUT,
              "the "
                  + layer.sizeBytes()
                  + " bytes did not arrive within "
                  + deadline(layer.sizeBytes()).toSeconds()
                  + " s; send at least "
                  + MIN_BYTES_PER_SECOND
                  + " bytes a second");
      case IOException e ->
          new GatewayException.Retryable("the upload of " + layer.digest() + " broke off", e);
      default -> failure;
    };
  }

  private static RepositoryName repository(RoutingContext context, Caller caller) {
    List<String> names = context.queryParam("repository");
    if (names.size() != 1) {
      throw new GatewayException.Refused(
          ProblemType.INVALID_REQUEST, "name the repository once: ?repository=NAME");
    }
    RepositoryName name = new RepositoryName(names.getFirst());
    if (!caller.mayUse(name)) {
      throw new GatewayException.Refused(
          ProblemType.FORBIDDEN,
          "token '" + caller.name() + "' is not allowed to use repository '" + name + "'");
    }
    return name;
  }

  private static Digest digest(RoutingContext context) {
    String text = context.pathParam("digest");
    try {
      return Digest.parse(text);
    } catch (ImageException.Rejected e) {
      throw new GatewayException.Refused(
          ProblemType.INVALID_REQUEST, "'" + text + "' is not sha256: and 64 hex digits");
    }
  }

  private long length(HttpServerRequest request) {
    String type = request.getHeader(HttpHeaders.CONTENT_TYPE);
    if (type != null && !type.startsWith(MEDIA_TYPE)) {
      throw new GatewayException.Refused(
          ProblemType.UNSUPPORTED_MEDIA_TYPE,
          "an upload's Content-Type is " + MEDIA_TYPE + ", not '" + type + "'");
    }
    String header = request.getHeader(HttpHeaders.CONTENT_LENGTH);
    if (header == null) {
      throw new GatewayException.Refused(
          ProblemType.LENGTH_REQUIRED, "an upload needs its exact size in Content-Length");
    }
    long length;
    try {
      length = Long.parseLong(header);
    } catch (NumberFormatException e) {
      throw new GatewayException.Refused(
          ProblemType.INVALID_REQUEST, "Content-Length '" + header + "' is no number of bytes");
    }
    if (length < 1 || length > maxBytes) {
      throw new GatewayException.Refused(
          ProblemType.TOO_LARGE,
          "an upload has 1 to " + maxBytes + " bytes (gateway.limits.upload-size), not " + length);
    }
    return length;
  }

  private static Duration deadline(long sizeBytes) {
    return BASE_DEADLINE.plusSeconds(sizeBytes / MIN_BYTES_PER_SECOND);
  }
}
