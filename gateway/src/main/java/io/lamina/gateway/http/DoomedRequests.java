package io.lamina.gateway.http;

import io.vertx.core.Vertx;
import io.vertx.core.http.HttpHeaders;
import io.vertx.core.http.HttpServerRequest;
import io.vertx.core.http.HttpVersion;

/** Ends requests whose body is not wanted. Stateless; used on the request's context. */
final class DoomedRequests {
  private static final long LINGER_MILLIS = 2000;

  private DoomedRequests() {}

  /**
   * To be called before the answer: drops what still arrives for a moment, because closing on
   * unread bytes would take the answer away from its reader; then closes (HTTP/1) or resets the
   * stream.
   */
  static void drain(Vertx vertx, HttpServerRequest request) {
    if (request.isEnded()) {
      return;
    }
    request.handler(part -> {});
    request.resume();
    if (request.version() == HttpVersion.HTTP_2) {
      vertx.setTimer(
          LINGER_MILLIS,
          id -> {
            if (!request.isEnded()) {
              request.response().reset(0);
            }
          });
      return;
    }
    if (!request.response().headWritten()) {
      request.response().putHeader(HttpHeaders.CONNECTION, HttpHeaders.CLOSE);
    }
    vertx.setTimer(
        LINGER_MILLIS,
        id -> {
          if (!request.isEnded()) {
            request.connection().close();
          }
        });
  }
}
