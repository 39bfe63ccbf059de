package io.lamina.publisher;

import io.lamina.cvmfs.RepositoryPath;
import io.lamina.cvmfs.catalog.CatalogChange;
import io.lamina.messaging.event.Event.RemovalRequested;
import io.lamina.messaging.event.WorkKey;
import io.lamina.repository.RepositoryException;
import io.lamina.repository.RepositoryLayout;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
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
