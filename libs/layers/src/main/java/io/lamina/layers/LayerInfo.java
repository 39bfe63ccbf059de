package io.lamina.layers;

import java.util.Collections;
import java.util.Optional;
import java.util.SortedSet;
import java.util.TreeSet;

/**
 * What the storage knows of one layer. Immutable.
 *
 * @param parent the layer right below
 * @param kind by the layer's own archive
 * @param state how far it got
 * @param hasThinBelow whether this layer, or one below it, is thin; it may name no repository
 * @param repositories CVMFS repositories that this layer and those below it name
 * @param uses mounts that were asked for and not given back
 */
public record LayerInfo(
    LayerId id,
    Optional<LayerId> parent,
    Kind kind,
    State state,
    boolean hasThinBelow,
    SortedSet<String> repositories,
    int uses) {
  /** Where its files lie. */
  public enum Kind {
    REGULAR,
    /** Some of them in CVMFS, as its descriptor says. */
    THIN
  }

  /** A layer's life. */
  public enum State {
    /** Made; nothing was applied to it. */
    CREATED,
    APPLYING,
    /** Holds an archive's files and is not changed again. */
    APPLIED,
    /** An archive broke off; it can only be removed. */
    FAILED
  }

  public LayerInfo {
    repositories = Collections.unmodifiableSortedSet(new TreeSet<>(repositories));
  }
}
