package io.lamina.image.registry;

import java.net.URI;
import java.net.http.HttpRequest;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import java.util.function.Supplier;

/**
 * One request. Immutable.
 *
 * @param authorization for this URI's origin alone
 * @param body asked once per transmission
 * @param patience from the request's start to the answer's headers
 */
record HttpCall(
    String method,
    URI uri,
    Map<String, String> headers,
    Optional<String> authorization,
    Supplier<HttpRequest.BodyPublisher> body,
    Duration patience) {
  HttpCall {
    headers = Map.copyOf(headers);
  }

  boolean hasBody() {
    return !method.equals("GET") && !method.equals("HEAD");
  }

  /** Without the authorization, and without a query, which may be one. */
  @Override
  public String toString() {
    return "HttpCall[" + method + " " + Origin.of(uri) + uri.getRawPath() + "]";
  }

  HttpCall redirectedTo(URI target) {
    return new HttpCall(
        method,
        target,
        headers,
        Origin.of(uri).equals(Origin.of(target)) ? authorization : Optional.empty(),
        body,
        patience);
  }
}
