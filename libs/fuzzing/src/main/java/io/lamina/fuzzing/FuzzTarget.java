package io.lamina.fuzzing;

import java.util.List;
import java.util.Set;
import java.util.function.UnaryOperator;

/**
 * A reader of foreign bytes and what it promises. Immutable.
 *
 * @param name of the reader, for reports
 * @param reader reads an input to its end; returns how much it made of it, in whatever unit it
 *     counts, which must be in proportion to the input
 * @param documented the exceptions that are an answer; every other one is a fault
 * @param corpus inputs to start from, good and bad
 * @param words that are put into inputs
 * @param repair mends what would let a changed input be refused at the door, such as a checksum; is
 *     applied to every other input
 * @param limits what one input may cost
 */
public record FuzzTarget(
    String name,
    Reader reader,
    Set<Class<? extends Throwable>> documented,
    List<byte[]> corpus,
    List<byte[]> words,
    UnaryOperator<byte[]> repair,
    Limits limits) {
  /** Reads one input. */
  @FunctionalInterface
  public interface Reader {
    /**
     * @return the number of things that were made of the input
     */
    long read(byte[] input) throws Exception;
  }

  /**
   * What one input may cost, counted and not timed.
   *
   * @param allocatedBytes by the thread that reads, for any input
   * @param allocatedBytesPerInputByte on top of these
   * @param things made of any input
   * @param thingsPerInputByte on top of these
   */
  public record Limits(
      long allocatedBytes, int allocatedBytesPerInputByte, long things, int thingsPerInputByte) {}

  public FuzzTarget {
    if (corpus.isEmpty()) {
      throw new IllegalArgumentException(name + " has no corpus");
    }
    documented = Set.copyOf(documented);
    corpus = List.copyOf(corpus);
    words = List.copyOf(words);
  }

  @Override
  public String toString() {
    return name;
  }
}
