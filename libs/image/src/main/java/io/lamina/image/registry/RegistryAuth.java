package io.lamina.image.registry;

import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.locks.Lock;
import java.util.concurrent.locks.ReentrantLock;

/**
 * Answers registries' challenges and remembers the answers for as long as they are good.
 * Thread-safe; one thread at a time asks for the same token.
 */
final class RegistryAuth {
  private static final int MAX_REMEMBERED = 1000;
  private static final int STRIPES = 16;

  /** How long credentials are used before config.json or the helper is asked again. */
  private static final Duration CREDENTIALS_AGE = Duration.ofMinutes(5);

  private record Found(Optional<Credentials> credentials, Instant until) {}

  /** The value is a secret. */
  private record Header(String value, Instant until) {
    @Override
    public String toString() {
      return "Header[until " + until + "]";
    }
  }

  private final DockerCredentials credentials;
  private final TokenFetcher tokens;
  private final Timing timing;
  private final Lock[] stripes = new Lock[STRIPES];

  /** Both guarded by their own monitor. */
  private final Map<Origin, Found> found = bounded();

  private final Map<TokenKey, Header> headers = bounded();

  RegistryAuth(DockerCredentials credentials, TokenFetcher tokens, Timing timing) {
    this.credentials = credentials;
    this.tokens = tokens;
    this.timing = timing;
    for (int i = 0; i < STRIPES; i++) {
      stripes[i] = new ReentrantLock();
    }
  }

  private static <K, V> Map<K, V> bounded() {
    return new LinkedHashMap<>(16, 0.75f, true) {
      @Override
      protected boolean removeEldestEntry(Map.Entry<K, V> eldest) {
        return size() > MAX_REMEMBERED;
      }
    };
  }

  /** The header that an earlier challenge of this registry led to, while it is good. */
  Optional<String> remembered(Endpoint endpoint, String scope) {
    return rememberedCredentials(endpoint)
        .flatMap(who -> remembered(key(endpoint, scope, who.credentials)));
  }

  /** Whom we speak as, for messages. */
  String identity(Endpoint endpoint) {
    return rememberedCredentials(endpoint)
        .flatMap(Found::credentials)
        .map(who -> "as " + who.user())
        .orElse("without credentials");
  }

  /**
   * The header that answers a challenge.
   *
   * @param refused the header that the registry did not accept, if one was sent
   * @return nothing if no answer is possible; then the refusal stands
   */
  Optional<String> answer(
      Endpoint endpoint, String scope, List<String> challengeHeaders, Optional<String> refused)
      throws IOException, InterruptedException {
    List<Challenge> challenges = ChallengeParser.parse(challengeHeaders);
    Optional<Credentials> who = credentials(endpoint);
    TokenKey key = key(endpoint, scope, who);
    Lock stripe = stripes[Math.floorMod(key.hashCode(), STRIPES)];
    stripe.lockInterruptibly();
    try {
      Optional<String> current = remembered(key);
      if (current.isPresent() && !current.equals(refused)) {
        return current;
      }
      Optional<Header> fresh = newHeader(endpoint, scope, challenges, who);
      if (fresh.isEmpty() || Optional.of(fresh.get().value).equals(refused)) {
        forget(endpoint, key);
        return Optional.empty();
      }
      synchronized (headers) {
        headers.put(key, fresh.get());
      }
      return fresh.map(Header::value);
    } finally {
      stripe.unlock();
    }
  }

  private Optional<Header> newHeader(
      Endpoint endpoint, String scope, List<Challenge> challenges, Optional<Credentials> who)
      throws IOException, InterruptedException {
    Instant soon = timing.clock().instant().plus(CREDENTIALS_AGE);
    if (who.isPresent() && who.get() instanceof Credentials.RegistryToken ready) {
      return Optional.of(new Header("Bearer " + ready.token(), soon));
    }
    for (Challenge challenge : challenges) {
      if (challenge.scheme().equals("bearer") && challenge.parameter("realm").isPresent()) {
        TokenFetcher.Token token = tokens.fetch(endpoint, challenge, scope, who);
        return Optional.of(new Header("Bearer " + token.value(), token.until()));
      }
    }
    for (Challenge challenge : challenges) {
      if (challenge.scheme().equals("basic")
          && who.isPresent()
          && who.get() instanceof Credentials.Password password) {
        return Optional.of(new Header(password.basicHeader(), soon));
      }
    }
    return Optional.empty();
  }

  private Optional<Credentials> credentials(Endpoint endpoint) {
    Optional<Found> known = rememberedCredentials(endpoint);
    if (known.isPresent()) {
      return known.get().credentials;
    }
    Optional<Credentials> fresh = credentials.find(endpoint.name());
    synchronized (found) {
      found.put(
          endpoint.origin(), new Found(fresh, timing.clock().instant().plus(CREDENTIALS_AGE)));
    }
    return fresh;
  }

  private Optional<Found> rememberedCredentials(Endpoint endpoint) {
    synchronized (found) {
      return Optional.ofNullable(found.get(endpoint.origin())).filter(f -> isGood(f.until));
    }
  }

  private Optional<String> remembered(TokenKey key) {
    synchronized (headers) {
      return Optional.ofNullable(headers.get(key)).filter(h -> isGood(h.until)).map(Header::value);
    }
  }

  /** So that a log-in by the operator helps at once. */
  private void forget(Endpoint endpoint, TokenKey key) {
    synchronized (found) {
      found.remove(endpoint.origin());
    }
    synchronized (headers) {
      headers.remove(key);
    }
  }

  private boolean isGood(Instant until) {
    return timing.clock().instant().isBefore(until);
  }

  private static TokenKey key(Endpoint endpoint, String scope, Optional<Credentials> who) {
    return new TokenKey(endpoint.origin(), scope, who.map(Credentials::user).orElse("<anonymous>"));
  }
}
