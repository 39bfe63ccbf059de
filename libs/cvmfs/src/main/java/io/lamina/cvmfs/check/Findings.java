package io.lamina.cvmfs.check;

import io.lamina.cvmfs.CvmfsException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.LongAdder;

/** Collects problems and counts. Thread-safe: the list is guarded by itself. */
final class Findings {
  private final int maxProblems;
  private final List<Problem> problems = new ArrayList<>();
  private final LongAdder problemCount = new LongAdder();
  final LongAdder catalogs = new LongAdder();
  final LongAdder entries = new LongAdder();
  final LongAdder objects = new LongAdder();
  final LongAdder contentBytes = new LongAdder();
  final LongAdder storedBytes = new LongAdder();

  Findings(int maxProblems) {
    this.maxProblems = maxProblems;
  }

  void add(Object path, String what) {
    add(path, what, "", "");
  }

  void add(Object path, String what, Object expected, Object found) {
    problemCount.increment();
    synchronized (problems) {
      if (problems.size() < maxProblems) {
        problems.add(new Problem(path.toString(), what, expected.toString(), found.toString()));
      }
    }
  }

  void add(Object path, String what, CvmfsException cause) {
    add(path, what + ": " + cause.getMessage());
  }

  CheckCounts counts() {
    return new CheckCounts(
        catalogs.sum(),
        entries.sum(),
        objects.sum(),
        contentBytes.sum(),
        storedBytes.sum(),
        problemCount.sum());
  }

  CheckReport report() {
    synchronized (problems) {
      return new CheckReport(problems.stream().sorted().toList(), counts());
    }
  }
}
