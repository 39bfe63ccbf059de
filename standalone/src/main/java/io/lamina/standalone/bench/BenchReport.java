package io.lamina.standalone.bench;

import java.util.List;
import java.util.Optional;
import java.util.OptionalDouble;

/**
 * All that one run has measured. Immutable.
 *
 * @param images as they were named
 * @param layers different ones of all images
 * @param packedBytes of their blobs
 */
public record BenchReport(
    Environment environment,
    List<String> images,
    int layers,
    long packedBytes,
    List<StageResult> stages) {
  public BenchReport {
    images = List.copyOf(images);
    stages = List.copyOf(stages);
  }

  public Optional<StageResult> result(Stage stage) {
    return stages.stream().filter(result -> result.stage() == stage).findFirst();
  }

  /** How many times as fast as the baseline of this run; empty if that was not run. */
  public OptionalDouble speedAgainst(Stage baseline, StageResult result) {
    return result(baseline).stream()
        .mapToDouble(base -> result.megabytesPerSecond() / base.megabytesPerSecond())
        .findFirst();
  }

  /** How many times the processor time of this run's baseline; empty if that was not run. */
  public OptionalDouble cpuAgainst(Stage baseline, StageResult result) {
    return result(baseline).stream()
        .mapToDouble(base -> result.cpuSecondsPerGigabyte() / base.cpuSecondsPerGigabyte())
        .findFirst();
  }

  /** The same with one more stage. */
  BenchReport with(StageResult result) {
    return new BenchReport(
        environment,
        images,
        layers,
        packedBytes,
        java.util.stream.Stream.concat(stages.stream(), java.util.stream.Stream.of(result))
            .toList());
  }
}
