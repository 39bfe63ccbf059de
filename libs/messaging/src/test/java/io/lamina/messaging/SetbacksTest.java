package io.lamina.messaging;

import static org.assertj.core.api.Assertions.assertThat;

import io.lamina.messaging.FailurePolicy.Verdict;
import io.lamina.messaging.Setbacks.Next;
import java.time.Duration;
import java.util.Random;
import org.junit.jupiter.api.Test;

class SetbacksTest {
  private static final Retries RETRIES =
      new Retries(3, Duration.ofMillis(100), Duration.ofSeconds(1));
  private static final RuntimeException FAILURE = new IllegalStateException("no");

  private static Setbacks setbacks(Verdict verdict) {
    return new Setbacks(_ -> verdict, RETRIES, new Random(1));
  }

  private static Duration pause(Next next) {
    return ((Next.Restart) next).pause();
  }

  @Test
  void looksForTheRecordToBlameOneByOne() {
    Setbacks setbacks = setbacks(Verdict.RETRY);

    setbacks.failed(FAILURE, 19, false);

    assertThat(setbacks.single(10)).isTrue();
    assertThat(setbacks.single(19)).isTrue();
    assertThat(setbacks.single(20)).isFalse();
    assertThat(setbacks.abandoned(19)).isEmpty();
  }

  @Test
  void setsARecordAsideAfterTheLastAttempt() {
    Setbacks setbacks = setbacks(Verdict.RETRY);

    setbacks.failed(FAILURE, 12, true);
    setbacks.failed(FAILURE, 12, true);
    assertThat(setbacks.abandoned(12)).isEmpty();
    assertThat(pause(setbacks.failed(FAILURE, 12, true))).isZero();

    assertThat(setbacks.abandoned(12))
        .hasValueSatisfying(
            a -> {
              assertThat(a.attempts()).isEqualTo(3);
              assertThat(a.cause()).isSameAs(FAILURE);
            });
  }

  @Test
  void countsAttemptsOfOneRecordOnly() {
    Setbacks setbacks = setbacks(Verdict.RETRY);
    setbacks.failed(FAILURE, 12, true);
    setbacks.failed(FAILURE, 12, true);

    setbacks.failed(FAILURE, 13, true);

    assertThat(setbacks.abandoned(12)).isEmpty();
    assertThat(setbacks.abandoned(13)).isEmpty();
  }

  @Test
  void rejectsAtOnceOnlyARecordThatWasAlone() {
    Setbacks setbacks = setbacks(Verdict.REJECT);

    assertThat(pause(setbacks.failed(FAILURE, 12, false))).isZero();
    assertThat(setbacks.abandoned(12)).isEmpty();
    assertThat(pause(setbacks.failed(FAILURE, 11, true))).isZero();

    assertThat(setbacks.abandoned(11)).isPresent();
  }

  @Test
  void waitsWithoutEndAndEverLonger() {
    Setbacks setbacks = setbacks(Verdict.WAIT);

    Duration first = pause(setbacks.failed(FAILURE, 12, true));
    for (int i = 0; i < 100; i++) {
      setbacks.failed(FAILURE, 12, true);
    }

    assertThat(first).isBetween(Duration.ofMillis(50), Duration.ofMillis(100));
    assertThat(pause(setbacks.failed(FAILURE, 12, true)))
        .isBetween(Duration.ofMillis(500), Duration.ofSeconds(1));
    assertThat(setbacks.abandoned(12)).isEmpty();
  }

  @Test
  void blamesNoRecordForAFailureOutsideOfABatch() {
    Setbacks setbacks = setbacks(Verdict.REJECT);

    for (int i = 0; i < 10; i++) {
      assertThat(pause(setbacks.failed(FAILURE))).isPositive();
    }

    assertThat(setbacks.single(0)).isFalse();
  }

  @Test
  void forgetsWhatIsDone() {
    Setbacks setbacks = setbacks(Verdict.RETRY);
    for (int i = 0; i < 3; i++) {
      setbacks.failed(FAILURE, 12, true);
    }

    setbacks.progressed(13);

    assertThat(setbacks.abandoned(12)).isEmpty();
    assertThat(pause(setbacks.failed(FAILURE, 20, true)))
        .isBetween(Duration.ofMillis(50), Duration.ofMillis(100));
  }

  @Test
  void stopsWhereThePolicySaysSo() {
    assertThat(setbacks(Verdict.STOP).failed(FAILURE)).isInstanceOf(Next.Stop.class);
    assertThat(setbacks(Verdict.STOP).failed(FAILURE, 1, true)).isInstanceOf(Next.Stop.class);
  }
}
