package io.lamina.bench;

import org.openjdk.jmh.annotations.AuxCounters;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.State;

/** Counts what a benchmark has worked on; reported as a rate a second beside its operations. */
@AuxCounters(AuxCounters.Type.OPERATIONS)
@State(Scope.Thread)
public class Bytes {
  /** In units of 10^6 bytes. */
  public double megabytes;

  public void add(long bytes) {
    megabytes += bytes / 1e6;
  }
}
