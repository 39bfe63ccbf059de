package io.lamina.converter;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.Optional;
import java.util.Random;
import java.util.random.RandomGenerator;
import org.junit.jupiter.api.Test;

class BackoffTest {
  private static final Backoff BACKOFF =
      new Backoff(5, Duration.ofSeconds(1), Duration.ofSeconds(10));

  @Test
  void doublesItsPausesUpToTheLongestWithHalfOfItByChance() {
    RandomGenerator random = new Random(7);

    for (int round = 0; round < 1000; round++) {
      assertThat(BACKOFF.pauseAfter(1, Optional.empty(), random).orElseThrow())
          .isBetween(Duration.ofMillis(500), Duration.ofSeconds(1));
      assertThat(BACKOFF.pauseAfter(3, Optional.empty(), random).orElseThrow())
          .isBetween(Duration.ofSeconds(2), Duration.ofSeconds(4));
    }
    assertThat(
            new Backoff(100, Duration.ofSeconds(1), Duration.ofSeconds(10))
                .pauseAfter(90, Optional.empty(), random)
                .orElseThrow())
        .isBetween(Duration.ofSeconds(5), Duration.ofSeconds(10));
  }

  @Test
  void endsAfterTheLastTry() {
    assertThat(BACKOFF.pauseAfter(4, Optional.empty(), new Random(7))).isPresent();
    assertThat(BACKOFF.pauseAfter(5, Optional.empty(), new Random(7))).isEmpty();
  }

  @Test
  void waitsAsLongAsTheServerAsks() {
    assertThat(BACKOFF.pauseAfter(1, Optional.of(Duration.ofSeconds(9)), new Random(7)))
        .contains(Duration.ofSeconds(9));
  }

  @Test
  void doesNotWaitForAServerThatAsksForTooMuch() {
    assertThat(BACKOFF.pauseAfter(1, Optional.of(Duration.ofHours(6)), new Random(7))).isEmpty();
  }
}
