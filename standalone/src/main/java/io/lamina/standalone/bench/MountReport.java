package io.lamina.standalone.bench;

import java.util.ArrayList;
import java.util.List;
import java.util.OptionalDouble;

/**
 * All samples of a run. Immutable.
 *
 * @param loadAverage of the last minute before the start; above a few tenths, others were at work
 */
public record MountReport(Tree tree, double loadAverage, List<Sample> samples) {
  /** Who shows the tree. */
  public enum Subject {
    LOCAL,
    LAMINA,
    ORIGINAL
  }

  /** The tree that is read. */
  public record Tree(long entries, long smallFiles, long smallBytes, long largestBytes) {}

  /**
   * @param round from 1
   * @param clientCpuNanos what the client's process took meanwhile; 0 for a local folder
   */
  public record Sample(
      int round,
      Subject subject,
      MountState state,
      MountReading reading,
      long nanos,
      long clientCpuNanos) {}

  public MountReport {
    samples = List.copyOf(samples);
  }

  MountReport with(List<Sample> more) {
    List<Sample> all = new ArrayList<>(samples);
    all.addAll(more);
    return new MountReport(tree, loadAverage, all);
  }

  /** Median over the rounds after the first, or the first if there is only that. */
  public OptionalDouble seconds(Subject subject, MountState state, MountReading reading) {
    return median(subject, state, reading, false);
  }

  /** As {@link #seconds}: the client's processor time. */
  public OptionalDouble cpuSeconds(Subject subject, MountState state, MountReading reading) {
    return median(subject, state, reading, true);
  }

  /** In the first round, when a JVM has just started. */
  public OptionalDouble freshSeconds(Subject subject, MountState state, MountReading reading) {
    return samples.stream()
        .filter(sample -> is(sample, subject, state, reading) && sample.round() == 1)
        .mapToDouble(sample -> sample.nanos() / 1e9)
        .findFirst();
  }

  /** Time against that of a local folder which the kernel has in memory; above 1 is slower. */
  public OptionalDouble againstLocal(MountState state, MountReading reading) {
    return ratio(
        seconds(Subject.LAMINA, state, reading), seconds(Subject.LOCAL, MountState.HOT, reading));
  }

  /** Time against the original client's in the same state; above 1 is slower. */
  public OptionalDouble againstOriginal(MountState state, MountReading reading) {
    return ratio(
        seconds(Subject.LAMINA, state, reading), seconds(Subject.ORIGINAL, state, reading));
  }

  private static OptionalDouble ratio(OptionalDouble time, OptionalDouble base) {
    return time.isPresent() && base.isPresent() && base.getAsDouble() > 0
        ? OptionalDouble.of(time.getAsDouble() / base.getAsDouble())
        : OptionalDouble.empty();
  }

  private OptionalDouble median(
      Subject subject, MountState state, MountReading reading, boolean isCpu) {
    List<Sample> matching =
        samples.stream().filter(sample -> is(sample, subject, state, reading)).toList();
    double[] values =
        matching.stream()
            .filter(sample -> sample.round() > 1 || matching.size() == 1)
            .mapToDouble(sample -> (isCpu ? sample.clientCpuNanos() : sample.nanos()) / 1e9)
            .sorted()
            .toArray();
    if (values.length == 0) {
      return OptionalDouble.empty();
    }
    int middle = values.length / 2;
    return OptionalDouble.of(
        values.length % 2 == 1 ? values[middle] : (values[middle - 1] + values[middle]) / 2);
  }

  private static boolean is(
      Sample sample, Subject subject, MountState state, MountReading reading) {
    return sample.subject() == subject && sample.state() == state && sample.reading() == reading;
  }
}
