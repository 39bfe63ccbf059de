package io.lamina.gateway.http;

import io.lamina.gateway.problem.GatewayException;
import io.lamina.gateway.problem.ProblemType;
import io.vertx.core.Future;
import io.vertx.core.Promise;
import io.vertx.core.Vertx;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpHeaders;
import io.vertx.core.http.HttpServerRequest;
import java.time.Duration;

/** Reads small bodies, bounded in size and time. Used on the request's context. */
final class JsonBody {
  private final Vertx vertx;
  private final int maxBytes;
  private final Duration deadline;

  JsonBody(Vertx vertx, int maxBytes, Duration deadline) {
    this.vertx = vertx;
    this.maxBytes = maxBytes;
    this.deadline = deadline;
  }

  /** Fails with {@link GatewayException.Refused} at either bound; the connection is then closed. */
  Future<Buffer> read(HttpServerRequest request) {
    Promise<Buffer> promise = Promise.promise();
    if (announced(request) > maxBytes) {
      refuseRest(request);
      return Future.failedFuture(tooLarge());
    }
    if (HttpHeaders.CONTINUE.toString().equalsIgnoreCase(request.getHeader(HttpHeaders.EXPECT))) {
      request.response().writeContinue();
    }
    Buffer body = Buffer.buffer();
    long timer =
        vertx.setTimer(
            deadline.toMillis(),
            id -> {
              refuseRest(request);
              promise.tryFail(
                  new GatewayException.Refused(
                      ProblemType.TIMEOUT,
                      "the body did not arrive within " + deadline.toMillis() + " ms"));
            });
    request.exceptionHandler(
        e -> promise.tryFail(new GatewayException.Refused(ProblemType.TIMEOUT, "broken off")));
    request.handler(
        part -> {
          if (body.length() + part.length() > maxBytes) {
            refuseRest(request);
            promise.tryFail(tooLarge());
          } else {
            body.appendBuffer(part);
          }
        });
    request.endHandler(end -> promise.tryComplete(body));
    return promise.future().onComplete(done -> vertx.cancelTimer(timer));
  }

  private static long announced(HttpServerRequest request) {
    String length = request.getHeader(HttpHeaders.CONTENT_LENGTH);
    try {
      return length == null ? 0 : Long.parseLong(length);
    } catch (NumberFormatException e) {
      return Long.MAX_VALUE;
    }
  }

  /** Takes no more of the body. */
  private void refuseRest(HttpServerRequest request) {
    request.handler(null);
    DoomedRequests.drain(vertx, request);
  }

  private GatewayException.Refused tooLarge() {
    return new GatewayException.Refused(
        ProblemType.TOO_LARGE, "the body is longer than the " + maxBytes + " bytes allowed");
  }
}
