package io.lamina.journal.replay;

import io.lamina.cvmfs.ContentHash;
import io.lamina.cvmfs.ObjectKind;
import io.lamina.cvmfs.RepositoryPath;
import io.lamina.cvmfs.catalog.CatalogChange;
import io.lamina.messaging.event.Event.TransactionPublished;
import java.util.List;
import java.util.Optional;

/**
 * What a transaction names and does not make: a tree with all below it, or a file.
 *
 * @param path where it shows
 */
public record Needed(RepositoryPath path, ObjectKind kind, ContentHash hash) {
  /** What a change names and does not make. */
  public static Optional<Needed> of(CatalogChange change) {
    return switch (change) {
      case CatalogChange.Attach attach ->
          Optional.of(new Needed(attach.path(), ObjectKind.CATALOG, attach.graft().catalog()));
      case CatalogChange.PutFile file ->
          Optional.of(new Needed(file.path(), ObjectKind.FILE, file.object()));
      case CatalogChange.PutSymlink _, CatalogChange.Split _, CatalogChange.Remove _ ->
          Optional.empty();
    };
  }

  static List<Needed> of(TransactionPublished event) {
    return event.changes().stream().flatMap(change -> of(change).stream()).toList();
  }
}
