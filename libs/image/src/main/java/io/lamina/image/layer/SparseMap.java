package io.lamina.image.layer;

import io.lamina.image.ImageException;
import java.util.Arrays;

/**
 * Where the stored bytes of a sparse file belong; all else is holes. Immutable.
 *
 * <p>Source: GNU tar manual, "Storing Sparse Files".
 */
final class SparseMap {
  private final long[] offsets;
  private final long[] lengths;
  private final long realSize;

  private SparseMap(long[] offsets, long[] lengths, long realSize) {
    this.offsets = offsets;
    this.lengths = lengths;
    this.realSize = realSize;
  }

  int segments() {
    return offsets.length;
  }

  long offset(int segment) {
    return offsets[segment];
  }

  long length(int segment) {
    return lengths[segment];
  }

  long realSize() {
    return realSize;
  }

  /** Gathers segments in the order in which they are stored. */
  static final class Collector {
    private final int max;
    private long[] numbers = new long[16];
    private int count;

    Collector(int maxSegments) {
      this.max = maxSegments;
    }

    void add(long offset, long length, String entry) {
      if (count == 2 * max) {
        throw new ImageException.Rejected(
            entry + " has more than " + max + " sparse segments (limit of sparse segments)");
      }
      if (count == numbers.length) {
        numbers = Arrays.copyOf(numbers, 2 * count);
      }
      numbers[count++] = offset;
      numbers[count++] = length;
    }

    /** Up to {@code slots} pairs of 12-byte numbers; an empty one ends them. */
    void addOldGnu(byte[] block, int offset, int slots, String entry) {
      for (int i = 0; i < slots; i++) {
        int at = offset + 24 * i;
        if (block[at] == 0) {
          return;
        }
        add(
            TarNumbers.parse(block, at, 12, "a sparse offset of " + entry),
            TarNumbers.parse(block, at + 12, 12, "a sparse length of " + entry),
            entry);
      }
    }

    /**
     * @throws ImageException.Rejected if segments overlap, run backwards, leave the file, or do not
     *     add up to the stored bytes
     */
    SparseMap build(long realSize, long storedBytes, String entry) {
      int segments = count / 2;
      long[] offsets = new long[segments];
      long[] lengths = new long[segments];
      long end = 0;
      long stored = 0;
      for (int i = 0; i < segments; i++) {
        offsets[i] = numbers[2 * i];
        lengths[i] = numbers[2 * i + 1];
        if (offsets[i] < end || lengths[i] < 0 || lengths[i] > realSize - offsets[i]) {
          throw new ImageException.Rejected(
              "sparse segment "
                  + i
                  + " of "
                  + entry
                  + " (offset "
                  + offsets[i]
                  + ", length "
                  + lengths[i]
                  + ") does not fit behind "
                  + end
                  + " into "
                  + realSize
                  + " bytes");
        }
        end = offsets[i] + lengths[i];
        stored += lengths[i];
      }
      if (realSize < 0 || stored != storedBytes) {
        throw new ImageException.Rejected(
            "the sparse segments of "
                + entry
                + " hold "
                + stored
                + " bytes, but "
                + storedBytes
                + " are stored");
      }
      return new SparseMap(offsets, lengths, realSize);
    }
  }
}
