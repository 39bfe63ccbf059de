package io.lamina.converter;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.lamina.image.ImageException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

class TriesTest {
  private final List<Duration> pauses = new ArrayList<>();
  private final List<String> heard = new ArrayList<>();
  private final Tries tries =
      new Tries(
          new Backoff(4, Duration.ofSeconds(1), Duration.ofSeconds(10)),
          2,
          new Random(1),
          pauses::add);
  private final Tries.Watcher watcher =
      new Tries.Watcher() {
        @Override
        public void broke(Throwable failure) {
          heard.add("broke: " + failure.getMessage());
        }

        @Override
        public void triesAgain(int failed, Duration pause, String reason) {
          heard.add(failed + ": " + reason);
        }
      };

  private int run;

  private Tries.Outcome<String> run(RuntimeException... failures) throws InterruptedException {
    return tries.run(
        () -> {
          if (run < failures.length) {
            throw failures[run++];
          }
          return "answer";
        },
        Tries.NEVER_STOPPING,
        watcher);
  }

  private static RuntimeException passing() {
    return new ImageException.Retryable("busy", null, null);
  }

  @Test
  void answersAfterPassingFailures() throws InterruptedException {
    assertThat(run(passing(), passing())).isEqualTo(new Tries.Outcome.Answered<>("answer"));
    assertThat(pauses).hasSize(2);
    assertThat(heard).containsExactly("1: busy", "2: busy");
  }

  @Test
  void givesUpAfterItsTries() throws InterruptedException {
    Tries.Outcome<String> outcome = run(passing(), passing(), passing(), passing(), passing());

    assertThat(((Tries.Outcome.GivenUp<String>) outcome).tries()).isEqualTo(4);
    assertThat(pauses).hasSize(3);
  }

  @Test
  void triesADefectOnlyAFewTimesAndSaysSo() throws InterruptedException {
    Tries.Outcome<String> outcome =
        run(new IllegalStateException("bug"), new IllegalStateException("bug"));

    assertThat(((Tries.Outcome.GivenUp<String>) outcome).verdict())
        .isInstanceOf(Verdict.Defect.class);
    assertThat(heard).filteredOn("broke: bug"::equals).hasSize(2);
  }

  @Test
  void countsWhatIsDoubtfulApartFromWhatPasses() throws InterruptedException {
    IllegalStateException bug = new IllegalStateException("bug");
    assertThat(run(passing(), passing(), passing(), bug))
        .isEqualTo(new Tries.Outcome.Answered<>("answer"));

    run = 0;
    Tries.Outcome<String> outcome = run(passing(), bug, passing(), bug, passing());
    assertThat(((Tries.Outcome.GivenUp<String>) outcome).tries()).isEqualTo(4);
    run = 0;
    assertThat(run(passing(), bug, passing(), passing()))
        .isEqualTo(new Tries.Outcome.Answered<>("answer"));
  }

  @Test
  void doesNotTryWhatIsHopelessAgain() throws InterruptedException {
    Tries.Outcome<String> outcome = run(new ImageException.Rejected("no such thing"));

    assertThat(((Tries.Outcome.GivenUp<String>) outcome).tries()).isEqualTo(1);
    assertThat(pauses).isEmpty();
  }

  @Test
  void leavesAPauseWhenItIsToStop() {
    assertThatThrownBy(
            () ->
                tries.run(
                    () -> {
                      throw passing();
                    },
                    () -> pauses.size() == 1,
                    watcher))
        .isInstanceOf(InterruptedException.class);
    assertThat(pauses).containsExactly(Duration.ofMillis(250));
  }
}
