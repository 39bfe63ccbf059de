package io.lamina.standalone.bench;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import io.lamina.repository.TransactionBench;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import org.junit.jupiter.api.Test;

class BenchReportTest {
  private static final Environment SOMEWHERE =
      new Environment(2, "os", "25", 1 << 29, List.of("gc"), true, false, "jdk-1", "ext4", 0.1);

  @Test
  void comparesSpeedAndProcessorTimeWithTheBaselineOfTheSameRun() {
    StageResult plain = result(Stage.PLAIN, 4, 4);
    StageResult verify = result(Stage.VERIFY, 2, 3);
    BenchReport report = report(plain, verify);

    assertThat(verify.megabytesPerSecond()).isCloseTo(500, within(1e-9));
    assertThat(verify.cpuSecondsPerGigabyte()).isCloseTo(3, within(1e-9));
    assertThat(verify.coresBusy()).isCloseTo(1.5, within(1e-9));
    assertThat(report.speedAgainst(Stage.PLAIN, plain)).hasValue(1);
    assertThat(report.speedAgainst(Stage.PLAIN, verify)).hasValue(2);
    assertThat(report.cpuAgainst(Stage.PLAIN, verify)).hasValue(0.75);
  }

  @Test
  void hasNoRatioToABaselineThatWasNotRun() {
    StageResult verify = result(Stage.VERIFY, 2, 3);
    BenchReport report = report(verify);

    assertThat(report.speedAgainst(Stage.PLAIN, verify)).isEmpty();
    JsonNode stage = BenchJson.of(report).path("stages").path(0);
    assertThat(stage.has("speedAgainstPlain")).isTrue();
    assertThat(stage.get("speedAgainstPlain").isNull()).isTrue();
    assertThat(stage.get("peakResidentBytes").isNull()).isTrue();
    assertThat(stage.get("objects").isNull()).isTrue();
    assertThat(stage.get("transactions").isNull()).isTrue();
  }

  @Test
  void saysHowTransactionsGrowFromTheFirstSizeToTheLast() {
    List<TransactionBench.Row> rows = List.of(row(100, 30_000, 20_000), row(900, 45_000, 25_000));

    JsonNode json = BenchJson.of(SOMEWHERE, TransactionBench.Plan.STANDARD, rows);

    assertThat(json.path("growth").asDouble()).isCloseTo(1.5, within(1e-9));
    assertThat(json.path("cpuGrowth").asDouble()).isCloseTo(1.25, within(1e-9));
    assertThat(json.path("sizes").path(1).path("insideMillis").asDouble()).isEqualTo(45);
  }

  private static BenchReport report(StageResult... results) {
    return new BenchReport(SOMEWHERE, List.of("image"), 1, 5, List.of(results));
  }

  private static StageResult result(Stage stage, long seconds, long cpuSeconds) {
    return new StageResult(
        stage,
        1_000_000_000,
        new Resources.Used(
            seconds * 1_000_000_000, cpuSeconds * 1_000_000_000, 2, 1, OptionalLong.empty()),
        Optional.empty(),
        Optional.empty());
  }

  private static TransactionBench.Row row(int layers, long micros, long cpuMicros) {
    return new TransactionBench.Row(layers, micros, micros, cpuMicros, 1, 1, 1, 1, 1);
  }
}
