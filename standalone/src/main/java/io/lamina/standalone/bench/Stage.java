package io.lamina.standalone.bench;

import java.util.Arrays;
import java.util.Locale;
import java.util.Optional;

/** What is measured, in this order. Source: docs/benchmarks.md, "Stages". */
public enum Stage {
  /** The baseline: what any tool must do, with the JDK alone. */
  PLAIN("JDK: read, unpack, SHA-256 of blob and archive"),
  /** The second baseline, a stand-in for what the original publisher does to each file. */
  PER_FILE("JDK: the same, and zlib level 6 and SHA-1 of each file"),
  VERIFY("read and verify"),
  COMPRESS("the same, cut, compress, hash, write the catalog; nothing stored"),
  CONVERT("the same into a local folder, durable"),
  PUBLISH("from the request at the gateway to the signed revision");

  private final String description;

  Stage(String description) {
    this.description = description;
  }

  public String description() {
    return description;
  }

  /** Whether the others are compared with it. */
  public boolean isBaseline() {
    return this == PLAIN || this == PER_FILE;
  }

  /** As people and machines write it. */
  public String label() {
    return name().toLowerCase(Locale.ROOT).replace('_', '-');
  }

  public static Optional<Stage> of(String label) {
    return Arrays.stream(values()).filter(stage -> stage.label().equals(label)).findFirst();
  }
}
