package io.lamina.standalone.bench;

import java.util.Optional;

/**
 * What one stage took for all layers. Immutable.
 *
 * @param unpackedBytes of the layers' archives; the same at every stage
 * @param objects where the stage makes any
 * @param transactions where the stage publishes
 */
public record StageResult(
    Stage stage,
    long unpackedBytes,
    Resources.Used used,
    Optional<Objects> objects,
    Optional<Transactions> transactions) {

  /**
   * Objects of layers and merged trees, without the publisher's own.
   *
   * @param asked that the layers and trees name, each time they do
   * @param stored that were not there before; empty where nothing is stored
   */
  public record Objects(long asked, Optional<Stored> stored) {}

  /** How many, and their bytes as they lie in the store. */
  public record Stored(long objects, long bytes) {}

  /**
   * What the publisher committed.
   *
   * @param published revisions
   * @param unchanged batches after which there was nothing to publish
   * @param changes to catalogs
   * @param insideNanos time inside all of them together, each from reading the head to replacing it
   * @param flushNanos of this, for making objects durable
   */
  public record Transactions(
      long published, long unchanged, long changes, long insideNanos, long flushNanos) {}

  public double seconds() {
    return used.nanos() / 1e9;
  }

  /** Of unpacked data. */
  public double megabytesPerSecond() {
    return unpackedBytes / 1e6 / seconds();
  }

  public double cpuSecondsPerGigabyte() {
    return used.cpuNanos() / 1e9 / (unpackedBytes / 1e9);
  }

  /** Processor time over time: how many cores it kept busy. */
  public double coresBusy() {
    return (double) used.cpuNanos() / used.nanos();
  }
}
