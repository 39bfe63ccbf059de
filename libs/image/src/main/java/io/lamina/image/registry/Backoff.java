package io.lamina.image.registry;

import io.lamina.image.ImageException;
import java.time.Duration;
import java.time.Instant;
import java.time.ZonedDateTime;
import java.time.format.DateTimeFormatter;
import java.time.format.DateTimeParseException;
import java.util.Optional;

/** Waits between attempts: exponential with jitter, and what {@code Retry-After} asks for. */
final class Backoff {
  private final RetryPolicy policy;
  private final Timing timing;

  Backoff(RetryPolicy policy, Timing timing) {
    this.policy = policy;
    this.timing = timing;
  }

  int attempts() {
    return policy.attempts();
  }

  /**
   * Waits before the attempt after {@code attempt}.
   *
   * @throws ImageException.Retryable the failure itself, if there is no further attempt
   */
  void awaitNext(int attempt, ImageException.Retryable failure) {
    Optional<Duration> wait = wait(attempt, failure.retryAfter());
    if (wait.isEmpty()) {
      throw failure;
    }
    try {
      timing.sleeper().sleep(wait.get());
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      failure.addSuppressed(e);
      throw failure;
    }
  }

  Optional<Duration> wait(int attempt, Optional<Duration> asked) {
    if (attempt >= policy.attempts()) {
      return Optional.empty();
    }
    long longest = policy.longestWait().toMillis();
    long base = policy.firstWait().toMillis();
    for (int i = 1; i < attempt && base < longest; i++) {
      base *= 2;
    }
    long jittered = Math.round(Math.min(base, longest) * (0.75 + timing.random().nextDouble() / 2));
    if (asked.isPresent() && asked.get().toMillis() > longest) {
      return Optional.empty();
    }
    long askedMillis = asked.map(Duration::toMillis).orElse(0L);
    return Optional.of(Duration.ofMillis(Math.max(askedMillis, Math.min(jittered, longest))));
  }

  /** Reads seconds or an HTTP date; nothing if it is neither. */
  Optional<Duration> retryAfter(String header) {
    String text = header.strip();
    if (text.matches("[0-9]{1,9}")) {
      return Optional.of(Duration.ofSeconds(Long.parseLong(text)));
    }
    try {
      Instant until = ZonedDateTime.parse(text, DateTimeFormatter.RFC_1123_DATE_TIME).toInstant();
      Duration wait = Duration.between(timing.clock().instant(), until);
      return Optional.of(wait.isNegative() ? Duration.ZERO : wait);
    } catch (DateTimeParseException e) {
      return Optional.empty();
    }
  }
}
