package io.lamina.node.events;

import java.util.Set;

/** The repositories that this node shows. Thread-safe. */
public interface RepositoryViews {
  /** Names of those that are mounted. */
  Set<String> mounted();

  /**
   * Shows the newest revision; waits for the repository, but not without a bound.
   *
   * @return the revision that is shown then
   * @throws io.lamina.layers.LayersException if it is not mounted, or its client could not
   */
  long refresh(String repository);
}
