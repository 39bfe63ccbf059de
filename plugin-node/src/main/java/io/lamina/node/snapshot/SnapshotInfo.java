package io.lamina.node.snapshot;

import java.time.Instant;
import java.util.Collections;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * What is known of one snapshot. Immutable.
 *
 * @param name its name, or its key until it is committed
 * @param parent the name of the committed snapshot below; empty for none
 * @param created when it was made or committed
 * @param updated when its labels were last changed
 */
public record SnapshotInfo(
    String name,
    String parent,
    Kind kind,
    SortedMap<String, String> labels,
    Instant created,
    Instant updated) {
  /** A snapshot's kind. */
  public enum Kind {
    /** Can be mounted and only be read. */
    VIEW,
    /** Can be mounted, written to and committed. */
    ACTIVE,
    /** Is not changed again and can have others on top. */
    COMMITTED
  }

  public SnapshotInfo {
    labels = Collections.unmodifiableSortedMap(new TreeMap<>(labels));
  }

  SnapshotInfo withLabels(SortedMap<String, String> changed, Instant now) {
    return new SnapshotInfo(name, parent, kind, changed, created, now);
  }

  SnapshotInfo committed(String as, SortedMap<String, String> newLabels, Instant now) {
    return new SnapshotInfo(as, parent, Kind.COMMITTED, newLabels, now, now);
  }
}
