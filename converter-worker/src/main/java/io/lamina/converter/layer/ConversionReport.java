package io.lamina.converter.layer;

import java.util.ArrayList;
import java.util.Collections;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * What was decided about entries that could not be taken over as they were: how many of each kind,
 * and the first of them by name.
 *
 * <p>Source: docs/conversion.md, "Decisions". Immutable.
 *
 * @param counts of all decisions
 * @param notes of the first {@value #MAX_NOTES}, in the layer's order
 */
public record ConversionReport(SortedMap<Decision, Long> counts, List<Note> notes) {
  /** So many decisions are told one by one. */
  public static final int MAX_NOTES = 100;

  public static final ConversionReport EMPTY = new ConversionReport(new TreeMap<>(), List.of());

  /** What can happen to an entry. */
  public enum Decision {
    /** Not an entry of a file system, or metadata of a storage driver: left out. */
    IGNORED,
    /** Another entry of the same path follows in the layer: the later one counts. */
    REPLACED,
    /** A parent directory is missing in the layer: made. */
    PARENT_MADE,
    /** A hard link to a file that this layer does not have: a symbolic link stands for it. */
    LINK_INTO_LOWER_LAYER,
    /** A hard link to a directory or to itself: left out. */
    LINK_IMPOSSIBLE,
    /** A hard link between directories: a file of its own, with the same objects. */
    LINK_ACROSS_DIRECTORIES,
    /** A hard link of a lower layer that found its file when the layers were merged. */
    LINK_RESOLVED,
    /**
     * An extended attribute that CVMFS cannot hold, or that only the converter may set: dropped.
     */
    ATTRIBUTE_DROPPED,
    /** A link's target that CVMFS clients will expand: kept, but shows changed. */
    TARGET_WITH_VARIABLE,
    /** A name that CVMFS keeps for itself: left out. */
    RESERVED_NAME,
    /** A device 0:0: it hides the entry of its name like a whiteout. */
    WHITEOUT_DEVICE,
    /** Something follows the archive's end mark: ignored. */
    TRAILING_GARBAGE,
    /** Entries below a lower layer's link to a directory were put into that directory. */
    MOVED_THROUGH_LINK,
    /** Something else has the place of a file or directory that runtimes want: left out. */
    PATH_TAKEN
  }

  /**
   * @param path for people
   * @param detail for people; may be empty
   */
  public record Note(Decision decision, String path, String detail) {}

  public ConversionReport {
    counts = Collections.unmodifiableSortedMap(new TreeMap<>(counts));
    notes = List.copyOf(notes);
  }

  /** Gathers decisions. Single-threaded. */
  public static final class Collector {
    private final Map<Decision, Long> counts = new EnumMap<>(Decision.class);
    private final List<Note> notes = new ArrayList<>();

    public void add(Decision decision, Object path, String detail) {
      counts.merge(decision, 1L, Long::sum);
      if (notes.size() < MAX_NOTES) {
        notes.add(new Note(decision, path.toString(), detail));
      }
    }

    public ConversionReport report() {
      return new ConversionReport(new TreeMap<>(counts), notes);
    }
  }
}
