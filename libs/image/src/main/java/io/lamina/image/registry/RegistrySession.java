package io.lamina.image.registry;

import io.lamina.image.ImageException;
import java.io.IOException;
import java.net.URI;
import java.util.List;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** One repository at one endpoint: authenticates and repeats requests. Thread-safe. */
final class RegistrySession {
  private static final Logger LOG = LoggerFactory.getLogger(RegistrySession.class);
  private static final int MAX_REFUSAL_BYTES = 1 << 20;

  private final Endpoint endpoint;
  private final String repository;
  private final HttpTransport transport;
  private final RegistryAuth auth;
  private final Backoff backoff;
  private final Timeouts timeouts;

  RegistrySession(
      Endpoint endpoint,
      String repository,
      HttpTransport transport,
      RegistryAuth auth,
      Backoff backoff,
      Timeouts timeouts) {
    this.endpoint = endpoint;
    this.repository = repository;
    this.transport = transport;
    this.auth = auth;
    this.backoff = backoff;
    this.timeouts = timeouts;
  }

  Endpoint endpoint() {
    return endpoint;
  }

  /** For messages: {@code quay.io/team/app}. */
  String where() {
    return endpoint.base().getRawAuthority() + "/" + endpoint.prefix() + repository;
  }

  /** Asks, and asks again after passing failures. */
  <T> T call(RegistryAction<T> action) {
    for (int attempt = 1; ; attempt++) {
      try {
        return callOnce(action);
      } catch (ImageException.Retryable e) {
        if (Thread.currentThread().isInterrupted()) {
          throw e;
        }
        LOG.atDebug()
            .addKeyValue("registry", endpoint.name())
            .addKeyValue("attempt", attempt)
            .log("request failed: {}", e.getMessage());
        backoff.awaitNext(attempt, e);
      }
    }
  }

  /** Asks once, and once more if that takes authentication. */
  <T> T callOnce(RegistryAction<T> action) {
    String what = where() + ": " + action.what();
    try {
      HttpAnswer answer = authenticated(action);
      boolean isKept = false;
      try {
        if (!action.statuses().contains(answer.status())) {
          throw Failures.of(
              what, answer, backoff, timeouts.document(), auth.identity(endpoint), action.isPush());
        }
        T result = action.handle(answer);
        isKept = action.keepsAnswerOpen();
        return result;
      } finally {
        if (!isKept) {
          answer.close();
        }
      }
    } catch (IOException e) {
      throw Failures.of(what, endpoint.base().getRawAuthority(), e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new ImageException.Retryable("interrupted: " + what, e, null);
    }
  }

  private HttpAnswer authenticated(RegistryAction<?> action)
      throws IOException, InterruptedException {
    String scope = scope(action);
    Optional<String> authorization = auth.remembered(endpoint, scope);
    URI uri = action.uri(endpoint, repository);
    // An upload goes where the registry said, which may not be the registry.
    boolean isOwnOrigin = Origin.of(uri).equals(endpoint.origin());
    HttpAnswer answer = send(action, uri, isOwnOrigin ? authorization : Optional.empty());
    if (answer.status() != 401 || !Origin.of(answer.uri()).equals(endpoint.origin())) {
      return answer;
    }
    // The place must be free before a token is asked for, or waiting could go in a circle.
    HttpAnswer refusal = answer.buffered(MAX_REFUSAL_BYTES, timeouts.document());
    List<String> challenges = refusal.headers().allValues("WWW-Authenticate");
    Optional<String> fresh = auth.answer(endpoint, scope, challenges, authorization);
    return fresh.isPresent() ? send(action, uri, fresh) : refusal;
  }

  private HttpAnswer send(RegistryAction<?> action, URI uri, Optional<String> authorization)
      throws IOException, InterruptedException {
    return transport.send(
        new HttpCall(
            action.method(),
            uri,
            action.headers(),
            authorization,
            action::body,
            timeouts.headers().plus(action.sendingTime())),
        endpoint.limit());
  }

  private String scope(RegistryAction<?> action) {
    String own =
        "repository:" + endpoint.prefix() + repository + (action.isPush() ? ":pull,push" : ":pull");
    return action.otherScope().map(other -> own + " " + other).orElse(own);
  }
}
