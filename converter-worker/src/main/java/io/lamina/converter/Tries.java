package io.lamina.converter;

import java.io.IOException;
import java.time.Duration;
import java.util.Optional;
import java.util.function.BooleanSupplier;
import java.util.random.RandomGenerator;

/**
 * Tries something until it has an answer or {@link Verdict} says that further tries are vain.
 * Immutable; thread-safe if its parts are.
 *
 * @param retries for passing failures, which are counted alone
 * @param doubtfulTries for what is suspect and for defects, which are counted together, the first
 *     try included
 * @param random spreads the pauses
 */
public record Tries(Backoff retries, int doubtfulTries, RandomGenerator random, Pause pause) {
  /** How soon a pause notices that the process stops. */
  private static final Duration PAUSE_SLICE = Duration.ofMillis(250);

  /** For those whom only an interrupt stops. */
  public static final BooleanSupplier NEVER_STOPPING = () -> false;

  /** One try. */
  @FunctionalInterface
  public interface Attempt<T> {
    T run() throws IOException, InterruptedException;
  }

  /** Hears of what goes wrong on the way. */
  public interface Watcher {
    /** Nobody foresaw this failure. */
    void broke(Throwable failure);

    /** There is a further try after the pause. */
    void triesAgain(int failed, Duration pause, String reason);
  }

  /** How it ended. */
  public sealed interface Outcome<T> {
    record Answered<T>(T answer) implements Outcome<T> {}

    /**
     * @param tries how often it was tried
     */
    record GivenUp<T>(Verdict verdict, int tries) implements Outcome<T> {}
  }

  /**
   * Blocks until it has ended.
   *
   * @param stopping becomes true when no new try is worth beginning
   * @throws InterruptedException if this thread is to stop
   */
  public <T> Outcome<T> run(Attempt<T> attempt, BooleanSupplier stopping, Watcher watcher)
      throws InterruptedException {
    int doubtful = 0;
    for (int failed = 1; ; failed++) {
      Verdict verdict;
      try {
        return new Outcome.Answered<>(attempt.run());
      } catch (RuntimeException | IOException | StackOverflowError e) {
        verdict = Verdict.on(e);
        if (verdict instanceof Verdict.Defect) {
          watcher.broke(e);
        }
      }
      // What passes says nothing of what is doubtful, and the other way round.
      boolean isDoubtful = verdict instanceof Verdict.Suspect || verdict instanceof Verdict.Defect;
      doubtful += isDoubtful ? 1 : 0;
      Optional<Duration> wait = pauseAfter(verdict, isDoubtful ? doubtful : failed - doubtful);
      if (wait.isEmpty()) {
        return new Outcome.GivenUp<>(verdict, failed);
      }
      watcher.triesAgain(failed, wait.get(), verdict.reason());
      pause(wait.get(), stopping);
    }
  }

  /**
   * @param failed tries that failed in the same way
   */
  private Optional<Duration> pauseAfter(Verdict verdict, int failed) throws InterruptedException {
    return switch (verdict) {
      case Verdict.Hopeless _ -> Optional.empty();
      case Verdict.Passing passing -> retries.pauseAfter(failed, passing.retryAfter(), random);
      case Verdict.Suspect _, Verdict.Defect _ ->
          failed < doubtfulTries
              ? retries.pauseAfter(failed, Optional.empty(), random)
              : Optional.empty();
      case Verdict.Stopped stopped -> throw new InterruptedException(stopped.reason());
    };
  }

  private void pause(Duration length, BooleanSupplier stopping) throws InterruptedException {
    if (stopping == NEVER_STOPPING) {
      pause.pause(length);
      return;
    }
    for (Duration left = length; left.isPositive(); left = left.minus(PAUSE_SLICE)) {
      if (stopping.getAsBoolean()) {
        throw new InterruptedException("the process stops");
      }
      pause.pause(left.compareTo(PAUSE_SLICE) < 0 ? left : PAUSE_SLICE);
    }
  }
}
