package io.lamina.standalone.bench;

import static org.assertj.core.api.Assertions.assertThat;

import io.lamina.standalone.bench.MountReport.Sample;
import io.lamina.standalone.bench.MountReport.Subject;
import io.lamina.standalone.bench.MountReport.Tree;
import java.util.List;
import org.junit.jupiter.api.Test;

class MountReportTest {
  private static final MountReading FIND = MountReading.FIND;

  @Test
  void comparesTheMediansOfAllRoundsButTheFirst() {
    MountReport report =
        report(
            sample(1, Subject.LAMINA, MountState.WARM, 9.0),
            sample(2, Subject.LAMINA, MountState.WARM, 1.0),
            sample(3, Subject.LAMINA, MountState.WARM, 3.0),
            sample(1, Subject.ORIGINAL, MountState.WARM, 8.0),
            sample(2, Subject.ORIGINAL, MountState.WARM, 4.0),
            sample(3, Subject.ORIGINAL, MountState.WARM, 4.0),
            sample(2, Subject.LOCAL, MountState.HOT, 0.5),
            sample(3, Subject.LOCAL, MountState.HOT, 0.5));

    assertThat(report.seconds(Subject.LAMINA, MountState.WARM, FIND)).hasValue(2.0);
    assertThat(report.freshSeconds(Subject.LAMINA, MountState.WARM, FIND)).hasValue(9.0);
    assertThat(report.againstOriginal(MountState.WARM, FIND)).hasValue(0.5);
    assertThat(report.againstLocal(MountState.WARM, FIND)).hasValue(4.0);
    assertThat(report.cpuSeconds(Subject.LAMINA, MountState.WARM, FIND)).hasValue(4.0);
  }

  @Test
  void hasNoRatioWhereThereIsNothingToCompareWith() {
    MountReport report = report(sample(1, Subject.LAMINA, MountState.COLD, 1.5));

    assertThat(report.seconds(Subject.LAMINA, MountState.COLD, FIND)).hasValue(1.5);
    assertThat(report.againstOriginal(MountState.COLD, FIND)).isEmpty();
    assertThat(report.againstLocal(MountState.COLD, FIND)).isEmpty();
    assertThat(BenchJson.of(report).path("rows").get(0).path("againstOriginal").isNull()).isTrue();
  }

  private static MountReport report(Sample... samples) {
    return new MountReport(new Tree(1, 1, 1, 1), 0.1, List.of(samples));
  }

  private static Sample sample(int round, Subject subject, MountState state, double seconds) {
    long nanos = (long) (seconds * 1e9);
    return new Sample(round, subject, state, FIND, nanos, 2 * nanos);
  }
}
