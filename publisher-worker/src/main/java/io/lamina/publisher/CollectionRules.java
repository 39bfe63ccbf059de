package io.lamina.publisher;

import io.lamina.repository.collection.CollectionSettings;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;

/**
 * When publishers remove what nothing refers to. Immutable.
 *
 * @param every how often without being asked; empty for never
 * @param grace as in {@link CollectionSettings}
 * @param history as in {@link CollectionSettings}
 * @param revisions as in {@link CollectionSettings}
 */
public record CollectionRules(
    Optional<Duration> every, Duration grace, Duration history, int revisions) {
  public static final CollectionRules DEFAULT =
      new CollectionRules(
          Optional.empty(),
          CollectionSettings.DEFAULT_GRACE,
          CollectionSettings.DEFAULT_HISTORY,
          CollectionSettings.DEFAULT_REVISIONS);

  private static final Duration LEAST_EVERY = Duration.ofMinutes(10);
  private static final int THREADS = 4;

  public CollectionRules {
    if (every.filter(interval -> interval.compareTo(LEAST_EVERY) < 0).isPresent()) {
      throw new IllegalArgumentException(
          "a collection every " + every.get() + " is too often; " + LEAST_EVERY + " at least");
    }
  }

  CollectionSettings in(Path workFolder) {
    return new CollectionSettings(grace, history, revisions, THREADS, workFolder);
  }
}
