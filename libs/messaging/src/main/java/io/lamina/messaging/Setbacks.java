package io.lamina.messaging;

import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.random.RandomGenerator;

/**
 * What went wrong on one partition and what follows from it: pauses, smaller batches to find the
 * record that is to blame, and records that are set aside. Outlives the handlers. Thread-safe by
 * its own lock.
 */
final class Setbacks {
  /** Why a record is set aside, and after how many attempts. */
  record Abandoned(Throwable cause, int attempts) {}

  /** What the loop does next. */
  sealed interface Next {
    record Restart(Duration pause) implements Next {}

    record Stop() implements Next {}
  }

  private static final int MAX_ABANDONED = 1000;

  private final FailurePolicy policy;
  private final Retries retries;
  private final RandomGenerator random;
  private final Map<Long, Abandoned> abandoned = new HashMap<>();
  private int failures;
  private int attemptsOnBlamed;
  private long singleUntil = Long.MIN_VALUE;
  private long blamed = Long.MIN_VALUE;

  Setbacks(FailurePolicy policy, Retries retries, RandomGenerator random) {
    this.policy = policy;
    this.retries = retries;
    this.random = random;
  }

  /** Whether the record at this offset is handed over alone. */
  synchronized boolean single(long offset) {
    return offset <= singleUntil;
  }

  synchronized Optional<Abandoned> abandoned(long offset) {
    return Optional.ofNullable(abandoned.get(offset));
  }

  /** Everything below this offset is done. */
  synchronized void progressed(long nextOffset) {
    failures = 0;
    abandoned.keySet().removeIf(offset -> offset < nextOffset);
    if (blamed < nextOffset) {
      attemptsOnBlamed = 0;
    }
  }

  /** A handler failed outside of a batch: nothing is to blame. */
  synchronized Next failed(Throwable failure) {
    return policy.judge(failure) == FailurePolicy.Verdict.STOP ? new Next.Stop() : pause();
  }

  /**
   * A handler failed on the batch from {@code firstOffset} to {@code lastOffset}.
   *
   * @param alone whether it was one record only
   */
  synchronized Next failed(Throwable failure, long lastOffset, boolean alone) {
    return switch (policy.judge(failure)) {
      case STOP -> new Next.Stop();
      case WAIT -> pause();
      case REJECT -> {
        if (alone) {
          setAside(lastOffset, failure, 1);
        } else {
          singleUntil = Math.max(singleUntil, lastOffset);
        }
        yield new Next.Restart(Duration.ZERO);
      }
      case RETRY -> {
        if (!alone) {
          singleUntil = Math.max(singleUntil, lastOffset);
          yield pause();
        }
        attemptsOnBlamed = blamed == lastOffset ? attemptsOnBlamed + 1 : 1;
        blamed = lastOffset;
        singleUntil = Math.max(singleUntil, lastOffset);
        if (attemptsOnBlamed >= retries.maxAttempts()) {
          setAside(lastOffset, failure, attemptsOnBlamed);
          yield new Next.Restart(Duration.ZERO);
        }
        yield pause();
      }
    };
  }

  private Next pause() {
    failures++;
    return new Next.Restart(retries.pauseAfter(failures, random));
  }

  private void setAside(long offset, Throwable cause, int attempts) {
    if (abandoned.size() >= MAX_ABANDONED) {
      // Only reached where a handler commits nothing at all; the pause then is the brake.
      return;
    }
    abandoned.put(offset, new Abandoned(cause, attempts));
    failures = 0;
  }
}
