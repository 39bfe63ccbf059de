package io.lamina.publisher;

import io.lamina.cvmfs.RepositoryName;
import io.lamina.image.Digest;
import io.lamina.storage.ObjectKey;
import io.lamina.storage.ObjectStore;
import io.lamina.storage.StorageException;
import io.lamina.storage.UploadArea;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Removes archives that were uploaded for publication: those of layers that are shown at once,
 * abandoned ones when they are a week old. Only room is lost if that fails; what one process leaves
 * the next one finds. Source: docs/protocol/transactions.md, "Uploads". Owned by one thread.
 */
final class UploadedArchives {
  private static final Logger LOG = LoggerFactory.getLogger(UploadedArchives.class);

  /** Longer than any commit waits, and than its nodes, gateways and converters may be away. */
  static final Duration ABANDONED_AFTER = Duration.ofDays(7);

  private static final Duration BETWEEN_LOOKS = Duration.ofHours(6);

  /** Removed at one look; the next one goes on. */
  private static final int MAX_REMOVED = 1_000;

  private final ObjectStore store;
  private final RepositoryName repository;
  private final Clock clock;
  private @Nullable Instant looked;

  UploadedArchives(ObjectStore store, RepositoryName repository, Clock clock) {
    this.store = store;
    this.repository = repository;
    this.clock = clock;
  }

  /** To be called when it is recorded that these layers are shown, and not before. */
  void removeSpent(Collection<Digest> layers) {
    List<ObjectKey> keys = new ArrayList<>();
    layers.forEach(layer -> keys.add(UploadArea.keyOf(layer.hex())));
    remove(keys, "published");
  }

  /**
   * Looks for old ones, from time to time.
   *
   * @param needed which are not to be removed, however old; asked when it is time for a look
   */
  void removeAbandoned(Supplier<Set<Digest>> needed) {
    Instant now = clock.instant();
    if (looked != null && now.isBefore(looked.plus(BETWEEN_LOOKS))) {
      return;
    }
    looked = now;
    long oldest = now.minus(ABANDONED_AFTER).getEpochSecond();
    Set<ObjectKey> kept = new HashSet<>();
    needed.get().forEach(layer -> kept.add(UploadArea.keyOf(layer.hex())));
    List<ObjectKey> old = new ArrayList<>();
    try {
      store.list(
          UploadArea.PREFIX,
          found -> {
            if (old.size() < MAX_REMOVED
                && found.modifiedSeconds() < oldest
                && !kept.contains(found.key())) {
              old.add(found.key());
            }
          });
    } catch (StorageException e) {
      warn(e);
    }
    remove(old, "abandoned");
  }

  private void remove(List<ObjectKey> keys, String why) {
    try {
      int removed = 0;
      for (ObjectKey key : keys) {
        if (store.delete(key)) {
          removed++;
        }
      }
      if (removed > 0) {
        LOG.atInfo()
            .addKeyValue("repository", repository)
            .addKeyValue("archives", removed)
            .addKeyValue("why", why)
            .log("removed uploads");
      }
    } catch (StorageException e) {
      warn(e);
    }
  }

  private void warn(StorageException cause) {
    LOG.atWarn()
        .addKeyValue("repository", repository)
        .addKeyValue("reason", cause.getMessage())
        .log("uploads cannot be removed now");
  }
}
