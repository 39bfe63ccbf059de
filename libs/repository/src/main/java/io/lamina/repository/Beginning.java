package io.lamina.repository;

import io.lamina.cvmfs.history.Tag;
import io.lamina.storage.ObjectStore;
import java.util.Optional;
import java.util.function.Consumer;

/**
 * What a new repository shows first.
 *
 * @param head a revision of which all catalogs and objects will be in the store; empty for revision
 *     0 with an empty root catalog
 * @param bring puts these there and makes them durable; called before anything names them. What it
 *     throws ends the creation, which can be repeated
 */
public record Beginning(Optional<Tag.Snapshot> head, Consumer<ObjectStore> bring) {
  public static final Beginning EMPTY = new Beginning(Optional.empty(), store -> {});

  static final long FIRST_REVISION = 0;

  long revision() {
    return head.map(Tag.Snapshot::revision).orElse(FIRST_REVISION);
  }
}
