package io.lamina.image.registry;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class BackoffTest {
  private final Backoff backoff =
      new Backoff(
          new RetryPolicy(10, Duration.ofSeconds(1), Duration.ofSeconds(20)),
          new FakeTiming().timing());

  @Test
  void doublesWithJitterUpToTheLongestWait() {
    for (int attempt = 1; attempt < 10; attempt++) {
      long base = Math.min(1000L << (attempt - 1), 20_000);
      for (int i = 0; i < 100; i++) {
        assertThat(backoff.wait(attempt, Optional.empty()).orElseThrow().toMillis())
            .isBetween(base * 3 / 4, Math.min(base * 5 / 4, 20_000));
      }
    }
  }

  @Test
  void endsAfterTheLastAttempt() {
    assertThat(backoff.wait(10, Optional.empty())).isEmpty();
  }

  @Test
  void waitsAtLeastAsLongAsTheServerAsksButNotForEver() {
    assertThat(backoff.wait(1, Optional.of(Duration.ofSeconds(19))))
        .contains(Duration.ofSeconds(19));
    assertThat(backoff.wait(1, Optional.of(Duration.ofSeconds(21)))).isEmpty();
  }

  @Test
  void readsRetryAfterAsSecondsOrDate() {
    assertThat(backoff.retryAfter(" 120 ")).contains(Duration.ofSeconds(120));
    assertThat(backoff.retryAfter("Fri, 02 Jan 2026 03:04:35 GMT"))
        .contains(Duration.ofSeconds(30));
    assertThat(backoff.retryAfter("Fri, 02 Jan 2026 03:00:00 GMT")).contains(Duration.ZERO);
    assertThat(backoff.retryAfter("soon")).isEmpty();
    assertThat(backoff.retryAfter("-1")).isEmpty();
    assertThat(backoff.retryAfter("99999999999999999999")).isEmpty();
  }
}
