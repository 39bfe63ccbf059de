package io.lamina.standalone.bench;

import java.util.List;

/** How a tree is read, each by the system's own programs. */
public enum MountReading {
  FIND("find", "the status of every entry"),
  SMALL("small", "every file up to 64 kB, one after the other"),
  LARGE("large", "the largest file"),
  PARALLEL("parallel", "every file up to 64 kB, by four readers at once");

  /** In a mount of their own where the cache is empty: what they read must not be there yet. */
  static final List<MountReading> ONE_AFTER_THE_OTHER = List.of(FIND, SMALL, LARGE);

  private final String label;
  private final String description;

  MountReading(String label, String description) {
    this.label = label;
    this.description = description;
  }

  public String label() {
    return label;
  }

  public String description() {
    return description;
  }
}
