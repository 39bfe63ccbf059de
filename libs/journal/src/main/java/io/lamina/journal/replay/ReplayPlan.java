package io.lamina.journal.replay;

import io.lamina.cvmfs.ContentHash;
import io.lamina.cvmfs.RepositoryName;
import io.lamina.cvmfs.RepositoryPath;
import io.lamina.cvmfs.catalog.CatalogChange;
import io.lamina.cvmfs.catalog.Counters;
import io.lamina.journal.Journal;
import io.lamina.journal.JournalException;
import io.lamina.messaging.event.Event.TransactionPublished;
import io.lamina.messaging.event.RepositoryOrigin;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * What a journal has for a replay: read once from its beginning, before anything is changed.
 * Immutable.
 *
 * @param firstBase the root on which the first transaction begins
 * @param lastRevision up to which is replayed
 * @param lastRoot the root on which that ends
 * @param shown trees and files that the last revision shows; what only earlier ones show is not in
 *     it
 * @param removed counters of trees that only earlier revisions show: to take them out again,
 *     without reading them
 */
public record ReplayPlan(
    RepositoryName source,
    Optional<RepositoryOrigin> origin,
    long firstRevision,
    ContentHash firstBase,
    long lastRevision,
    ContentHash lastRoot,
    Set<ContentHash> shown,
    Map<ContentHash, Counters> removed) {
  /** Some gigabytes of memory; a repository stays far below. */
  private static final int MAX_SHOWN = 20_000_000;

  public ReplayPlan {
    shown = Set.copyOf(shown);
    removed = Map.copyOf(removed);
  }

  /**
   * Reads and checks all of the journal up to there.
   *
   * @throws JournalException.NotFound if there is no transaction up to there
   */
  public static ReplayPlan of(Journal journal, RepositoryName source, Until until) {
    Builder builder = new Builder();
    journal.read(
        source,
        entry -> {
          if (!until.includes(entry)) {
            return false;
          }
          builder.add(entry.event());
          return true;
        });
    TransactionPublished first = builder.first;
    TransactionPublished last = builder.last;
    if (first == null || last == null) {
      throw new JournalException.NotFound(
          journal
              + " has no transaction of "
              + source
              + (until.equals(Until.END) ? "" : " up to there"));
    }
    Set<ContentHash> shown = new HashSet<>(builder.shown.values());
    builder.totals.keySet().removeAll(shown);
    return new ReplayPlan(
        source,
        first.origin(),
        first.revision(),
        first.previousRoot(),
        last.revision(),
        last.root(),
        shown,
        builder.totals);
  }

  /** Folds the changes into what is shown. Not thread-safe. */
  private static final class Builder {
    // One character for each byte: sorted as the bytes are, and nothing is lost.
    private final TreeMap<String, ContentHash> shown = new TreeMap<>();
    private final Map<ContentHash, Counters> totals = new HashMap<>();
    private @Nullable TransactionPublished first;
    private @Nullable TransactionPublished last;

    void add(TransactionPublished event) {
      if (first == null) {
        first = event;
      }
      last = event;
      for (CatalogChange change : event.changes()) {
        if (!(change instanceof CatalogChange.Split)) {
          removeAtAndBelow(change.path());
        }
        if (change instanceof CatalogChange.Attach attach) {
          totals.put(attach.graft().catalog(), attach.graft().total());
        }
        Needed.of(change).ifPresent(needed -> shown.put(key(needed.path()), needed.hash()));
      }
      if (shown.size() > MAX_SHOWN || totals.size() > MAX_SHOWN) {
        throw new JournalException.Rejected(
            event.repository() + " has shown more than " + MAX_SHOWN + " trees and files");
      }
    }

    private void removeAtAndBelow(RepositoryPath path) {
      String key = key(path);
      shown.remove(key);
      // '0' follows '/'.
      shown.subMap(key + "/", key + "0").clear();
    }

    private static String key(RepositoryPath path) {
      return new String(path.bytes(), StandardCharsets.ISO_8859_1);
    }
  }
}
