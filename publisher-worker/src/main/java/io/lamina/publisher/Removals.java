package io.lamina.publisher;

import io.lamina.cvmfs.RepositoryPath;
import io.lamina.cvmfs.catalog.CatalogChange;
import io.lamina.messaging.event.Event.CollectionRequested;
import io.lamina.messaging.event.Event.RemovalRequested;
import io.lamina.messaging.event.RequestId;
import io.lamina.messaging.event.Retention;
import io.lamina.messaging.event.WorkKey;
import io.lamina.repository.RepositoryException;
import io.lamina.repository.RepositoryLayout;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.Predicate;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What the removals of one batch take away, one after the other: a tree that two of them share goes
 * with the second. Used once, by one thread.
 *
 * <p>Source: docs/protocol/transactions.md, "Removals".
 */
final class Removals {
  private static final Logger LOG = LoggerFactory.getLogger(Removals.class);

  private final PublishedContents contents;
  private final Map<RequestId, String> details = new HashMap<>();
  private final Set<String> gone = new LinkedHashSet<>();
  private final Set<RepositoryPath> removed = new LinkedHashSet<>();

  Removals(PublishedContents contents) {
    this.contents = contents;
  }

  /**
   * @param needed trees that stay whoever shows them
   */
  List<CatalogChange> changes(RemovalRequested removal, Predicate<WorkKey> needed) {
    List<CatalogChange> changes = new ArrayList<>();
    List<String> names = contents.images(removal.subject(), removal.scope());
    if (removal.retention().isPresent()) {
      Retention rule = removal.retention().get();
      names = superfluous(names, rule, removal.acceptedAt());
      details.put(removal.request(), detail(names, rule.dryRun()));
      if (rule.dryRun()) {
        return List.of();
      }
    }
    for (String name : names) {
      contents.entriesOf(name).forEach(path -> remove(path, changes));
    }
    if (!removal.keepTrees()) {
      gone.addAll(names);
      trees(removal).stream()
          .filter(tree -> !needed.test(tree))
          .map(Removals::folderOf)
          .forEach(path -> remove(path, changes));
    }
    return changes;
  }

  /** By name without tag or digest: the latest stay, and what is young. */
  private List<String> superfluous(List<String> names, Retention rule, Instant acceptedAt) {
    Map<String, List<Published>> byImage = new TreeMap<>();
    for (String name : names) {
      byImage
          .computeIfAbsent(imageOf(name), image -> new ArrayList<>())
          .add(new Published(name, contents.publishedSeconds(name)));
    }
    long young =
        rule.newerThanSeconds()
            .map(seconds -> acceptedAt.getEpochSecond() - seconds)
            .orElse(Long.MAX_VALUE);
    List<String> gone = new ArrayList<>();
    for (List<Published> versions : byImage.values()) {
      versions.sort(
          Comparator.comparingLong(Published::seconds).reversed().thenComparing(Published::name));
      versions.stream()
          .skip(rule.keepLast())
          .filter(version -> version.seconds() < young)
          .map(Published::name)
          .forEach(gone::add);
    }
    return gone;
  }

  private record Published(String name, long seconds) {}

  private static String imageOf(String name) {
    int digest = name.indexOf('@');
    String tagged = digest < 0 ? name : name.substring(0, digest);
    int tag = tagged.lastIndexOf(':');
    return tag > tagged.lastIndexOf('/') ? tagged.substring(0, tag) : tagged;
  }

  private static String detail(List<String> names, boolean dryRun) {
    return (dryRun ? "would remove " : "removed ")
        + names.size()
        + " images"
        + (names.isEmpty() ? "" : ": " + String.join(", ", names.stream().limit(20).toList()))
        + (names.size() > 20 ? ", …" : "");
  }

  /** What is to be said of removals by rule. */
  Map<RequestId, String> details() {
    return details;
  }

  /**
   * What goes with a collection: trees of images whose tags have moved on.
   *
   * @param needed trees that stay whoever shows them
   */
  List<CatalogChange> abandoned(CollectionRequested collection, Predicate<WorkKey> needed) {
    List<CatalogChange> changes = new ArrayList<>();
    try {
      contents.abandonedTrees(collection.acceptedAt()).stream()
          .filter(tree -> !needed.test(tree))
          .map(Removals::folderOf)
          .forEach(path -> remove(path, changes));
    } catch (RepositoryException.Corrupt e) {
      LOG.atError()
          .addKeyValue("repository", collection.repository())
          .addKeyValue("request", collection.request())
          .addKeyValue("reason", e.getMessage())
          .log("abandoned layers and merged trees stay, since something cannot be read");
    }
    return changes;
  }

  /** Names go all the same if nobody knows who refers to what; trees only if everybody does. */
  private Set<WorkKey> trees(RemovalRequested removal) {
    try {
      return contents.treesOnlyOf(gone);
    } catch (RepositoryException.Corrupt e) {
      LOG.atError()
          .addKeyValue("repository", removal.repository())
          .addKeyValue("request", removal.request())
          .addKeyValue("reason", e.getMessage())
          .log("layers and merged trees stay, since an image's metadata cannot be read");
      return Set.of();
    }
  }

  private void remove(RepositoryPath path, List<CatalogChange> changes) {
    if (removed.add(path)) {
      changes.add(new CatalogChange.Remove(path));
    }
  }

  static RepositoryPath folderOf(WorkKey tree) {
    return switch (tree.kind()) {
      case LAYER -> RepositoryLayout.layerFolder(tree.id());
      case FLAT -> RepositoryLayout.flat(tree.id());
      case THIN -> throw new IllegalArgumentException("a thin image is no tree: " + tree);
    };
  }
}
