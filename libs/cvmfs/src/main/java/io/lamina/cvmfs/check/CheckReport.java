package io.lamina.cvmfs.check;

import java.util.List;

/**
 * What a check found. Immutable.
 *
 * @param problems by path, at most as many as the settings allow; {@link CheckCounts#problems} is
 *     their true number
 */
public record CheckReport(List<Problem> problems, CheckCounts counts) {
  public CheckReport {
    problems = List.copyOf(problems);
  }

  public boolean isClean() {
    return counts.problems() == 0;
  }
}
