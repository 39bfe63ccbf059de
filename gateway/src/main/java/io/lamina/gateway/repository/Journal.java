package io.lamina.gateway.repository;

import io.lamina.cvmfs.RepositoryName;
import io.lamina.cvmfs.catalog.CatalogChange;
import io.lamina.image.Digest;
import io.lamina.messaging.event.Event.TransactionPublished;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.function.Consumer;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * What the journal of transactions says, in bounded memory: the latest revisions of each repository
 * and which layers are published. At the bound the layer that was published first is forgotten.
 *
 * <p>Thread-safe: one lock (this), held for short steps only.
 */
public final class Journal {
  /** Revisions kept of each repository. */
  public static final int REVISIONS = 20;

  private static final int MAX_REPOSITORIES = 10_000;
  private static final Pattern LAYER =
      Pattern.compile("/\\.layers/[0-9a-f]{2}/([0-9a-f]{64})/layerfs");

  private final int maxLayers;
  private final Consumer<Revision> listener;
  private final SortedMap<RepositoryName, Deque<Revision>> revisions = new TreeMap<>();
  private final LinkedHashSet<String> layers = new LinkedHashSet<>();
  private boolean live;

  /**
   * @param listener hears of revisions that are published from {@link #goLive} on; must be quick
   */
  public Journal(int maxLayers, Consumer<Revision> listener) {
    this.maxLayers = maxLayers;
    this.listener = listener;
  }

  /** From now on revisions are news. */
  public synchronized void goLive() {
    live = true;
  }

  /** Folds the next transaction; one that was folded before changes nothing. */
  public synchronized void apply(TransactionPublished transaction) {
    for (CatalogChange change : transaction.changes()) {
      Matcher m = LAYER.matcher(change.path().toString());
      if (m.matches()) {
        if (change instanceof CatalogChange.Attach) {
          layers.add(m.group(1));
        } else if (change instanceof CatalogChange.Remove) {
          layers.remove(m.group(1));
        }
      }
    }
    while (layers.size() > maxLayers) {
      layers.removeFirst();
    }
    Deque<Revision> known = revisions.get(transaction.repository());
    if (known == null) {
      if (revisions.size() == MAX_REPOSITORIES) {
        return;
      }
      known = new ArrayDeque<>();
      revisions.put(transaction.repository(), known);
    }
    if (!known.isEmpty() && known.getFirst().number() >= transaction.revision()) {
      return;
    }
    Revision revision =
        new Revision(
            transaction.repository(),
            transaction.revision(),
            transaction.root(),
            Instant.ofEpochSecond(transaction.timestampSeconds()),
            transaction.changes().size());
    known.addFirst(revision);
    if (known.size() > REVISIONS) {
      known.removeLast();
    }
    if (live) {
      listener.accept(revision);
    }
  }

  /** Whether a transaction published the layer with this compressed digest. */
  public synchronized boolean hasLayer(Digest layer) {
    return layers.contains(layer.hex());
  }

  /** Repositories with at least one transaction, by name. */
  public synchronized List<RepositoryName> repositories() {
    return new ArrayList<>(revisions.keySet());
  }

  /** Newest first; empty if there is none. */
  public synchronized List<Revision> revisions(RepositoryName repository) {
    return Optional.ofNullable(revisions.get(repository)).map(List::copyOf).orElse(List.of());
  }
}
