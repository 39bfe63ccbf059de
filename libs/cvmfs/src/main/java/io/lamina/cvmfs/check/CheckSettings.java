package io.lamina.cvmfs.check;

import io.lamina.cvmfs.CvmfsException;
import io.lamina.cvmfs.reader.ReaderSettings;

/**
 * How deep a check goes and how much it may use. Immutable.
 *
 * @param reader name, trusted keys, clock and scratch folder; the rest does not matter here
 * @param threads how many objects are looked at at once, 1 to 256
 * @param maxProblems how many problems are kept, 1 or more; the others are only counted
 */
public record CheckSettings(ReaderSettings reader, Depth depth, int threads, int maxProblems) {
  /** Each includes those before it. */
  public enum Depth {
    /** Manifest, whitelist, certificate, reflog, history, and all catalogs of the last revision. */
    CATALOGS,
    /** Also whether every object is there that these name. */
    PRESENCE,
    /**
     * Also every object's hash, size and compression, everything that the tags and the reflog name,
     * and, where files can be listed, every file that lies in the store.
     */
    EVERY_OBJECT
  }

  public static final int DEFAULT_MAX_PROBLEMS = 1000;
  private static final int MAX_THREADS = 256;

  public CheckSettings {
    if (threads < 1 || threads > MAX_THREADS || maxProblems < 1) {
      throw new CvmfsException.Rejected(
          "a check needs 1 to "
              + MAX_THREADS
              + " threads and room for a problem, not "
              + threads
              + " and "
              + maxProblems);
    }
  }

  /** Everything, on all processors. */
  public static CheckSettings everyObject(ReaderSettings reader) {
    int processors = Math.min(Runtime.getRuntime().availableProcessors(), MAX_THREADS);
    return new CheckSettings(reader, Depth.EVERY_OBJECT, processors, DEFAULT_MAX_PROBLEMS);
  }

  public CheckSettings withDepth(Depth other) {
    return new CheckSettings(reader, other, threads, maxProblems);
  }

  /** Many threads pay off where objects come from far away. */
  public CheckSettings withThreads(int other) {
    return new CheckSettings(reader, depth, other, maxProblems);
  }
}
