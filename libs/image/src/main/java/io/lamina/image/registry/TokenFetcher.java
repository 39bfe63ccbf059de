package io.lamina.image.registry;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.lamina.image.ImageException;
import io.lamina.image.internal.StrictJson;
import java.io.IOException;
import java.net.URI;
import java.net.URLEncoder;
import java.net.http.HttpRequest;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SequencedSet;
import java.util.function.Supplier;

/**
 * Asks token servers. Source: the distribution project's token and OAuth 2 specifications.
 * Thread-safe.
 */
final class TokenFetcher {
  private static final int MAX_BYTES = 1 << 20;
  private static final int MAX_SCOPES = 8;
  private static final Duration DEFAULT_AGE = Duration.ofSeconds(60);
  private static final Duration LONGEST_AGE = Duration.ofHours(1);

  private final HttpTransport transport;
  private final RequestLimit limit;
  private final Timing timing;
  private final Backoff backoff;
  private final Timeouts timeouts;

  /** Good before {@code until}; the value is a secret. */
  record Token(String value, Instant until) {
    @Override
    public String toString() {
      return "Token[until " + until + "]";
    }
  }

  TokenFetcher(
      HttpTransport transport,
      RequestLimit limit,
      Timing timing,
      Backoff backoff,
      Timeouts timeouts) {
    this.transport = transport;
    this.limit = limit;
    this.timing = timing;
    this.backoff = backoff;
    this.timeouts = timeouts;
  }

  /**
   * @throws ImageException.NotFound if the token server refuses the credentials
   * @throws ImageException.Rejected if the realm may not be asked, or answers with no token
   */
  Token fetch(Endpoint endpoint, Challenge challenge, String scope, Optional<Credentials> who)
      throws IOException, InterruptedException {
    URI realm = transport.target(endpoint.base(), challenge.parameter("realm").orElseThrow());
    SequencedSet<String> scopes = new LinkedHashSet<>(List.of(scope));
    challenge.parameter("scope").ifPresent(s -> scopes.addAll(List.of(s.strip().split(" +"))));
    if (scopes.size() > MAX_SCOPES) {
      throw new ImageException.Rejected(
          endpoint.name() + " asks for a token with more than " + MAX_SCOPES + " scopes");
    }
    HttpCall call =
        who.isPresent() && who.get() instanceof Credentials.IdentityToken identity
            ? exchange(realm, challenge, scopes, identity)
            : request(realm, challenge, scopes, who);
    String what = "token for " + scope + " from " + realm.getHost();
    try (HttpAnswer answer = transport.send(call, limit)) {
      if (answer.status() != 200) {
        throw Failures.of(
            what,
            answer,
            backoff,
            timeouts.document(),
            who.map(w -> "as " + w.user()).orElse("without credentials"),
            false);
      }
      return parse(what, answer.readBody(MAX_BYTES, timeouts.document()));
    }
  }

  private HttpCall request(
      URI realm, Challenge challenge, SequencedSet<String> scopes, Optional<Credentials> who) {
    StringBuilder query = new StringBuilder();
    challenge.parameter("service").ifPresent(service -> append(query, "service", service));
    scopes.forEach(each -> append(query, "scope", each));
    Optional<String> basic = Optional.empty();
    if (who.isPresent() && who.get() instanceof Credentials.Password password) {
      append(query, "account", password.user());
      basic = Optional.of(password.basicHeader());
    }
    String base = realm.toString();
    int fragment = base.indexOf('#');
    String clean = fragment < 0 ? base : base.substring(0, fragment);
    URI uri = URI.create(clean + (realm.getRawQuery() == null ? "?" : "&") + query);
    return call("GET", uri, basic, HttpRequest.BodyPublishers::noBody, Map.of());
  }

  private HttpCall exchange(
      URI realm,
      Challenge challenge,
      SequencedSet<String> scopes,
      Credentials.IdentityToken identity) {
    StringBuilder form = new StringBuilder();
    append(form, "grant_type", "refresh_token");
    challenge.parameter("service").ifPresent(service -> append(form, "service", service));
    append(form, "scope", String.join(" ", scopes));
    append(form, "client_id", "lamina");
    append(form, "refresh_token", identity.token());
    return call(
        "POST",
        realm,
        Optional.empty(),
        () -> HttpRequest.BodyPublishers.ofString(form.toString()),
        Map.of("Content-Type", "application/x-www-form-urlencoded"));
  }

  private HttpCall call(
      String method,
      URI uri,
      Optional<String> authorization,
      Supplier<HttpRequest.BodyPublisher> body,
      Map<String, String> headers) {
    return new HttpCall(method, uri, headers, authorization, body, timeouts.headers());
  }

  private static void append(StringBuilder form, String name, String value) {
    form.append(form.isEmpty() ? "" : "&")
        .append(name)
        .append('=')
        .append(URLEncoder.encode(value, StandardCharsets.UTF_8));
  }

  private Token parse(String what, byte[] body) {
    ObjectNode json;
    try {
      json = StrictJson.parseObject(body);
    } catch (IOException e) {
      // The parser's message could quote the token.
      throw new ImageException.Rejected(what + ": the answer is not a JSON object");
    }
    String value =
        StrictJson.nonEmptyText(json, "token")
            .or(() -> StrictJson.nonEmptyText(json, "access_token"))
            .orElseThrow(
                () ->
                    new ImageException.Rejected(
                        what + ": the answer has neither 'token' nor 'access_token'"));
    if (!value.chars().allMatch(c -> c > ' ' && c < 127)) {
      throw new ImageException.Rejected(what + ": the token is not printable text");
    }
    long seconds = json.path("expires_in").asLong(DEFAULT_AGE.toSeconds());
    Duration age =
        Duration.ofSeconds(Math.clamp(seconds, DEFAULT_AGE.toSeconds(), LONGEST_AGE.toSeconds()));
    // A tenth less, so that it does not die on the way.
    return new Token(value, timing.clock().instant().plus(age.multipliedBy(9).dividedBy(10)));
  }
}
