package io.lamina.standalone;

import static org.assertj.core.api.Assertions.assertThat;

import io.lamina.status.Page.Answer;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;

class WorkerStatusTest {
  private final MeterRegistry metrics = new SimpleMeterRegistry();

  private AtomicLong loop(String worker) {
    AtomicLong age = new AtomicLong();
    Gauge.builder("worker.progress.age", age::get).tag("worker", worker).register(metrics);
    return age;
  }

  @Test
  void isReadyWhileItsLoopsComeRound() {
    loop("planner").set(WorkerStatus.LONGEST_TURN.toSeconds());
    loop("converter").set(1);

    assertThat(WorkerStatus.ready(metrics))
        .isEqualTo(Answer.json(200, "{\"status\":\"up\",\"problem\":null}"));
  }

  @Test
  void namesTheLoopThatHangs() {
    loop("planner").set(1);
    loop("converter").set(WorkerStatus.LONGEST_TURN.toSeconds() + 1);

    assertThat(WorkerStatus.ready(metrics))
        .isEqualTo(
            Answer.json(
                503,
                "{\"status\":\"down\",\"problem\":\"converter has not come round for 121 s\"}"));
  }
}
