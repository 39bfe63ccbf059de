package io.lamina.publisher;

import io.lamina.cvmfs.ContentHash;
import io.lamina.cvmfs.catalog.Graft;
import io.lamina.messaging.event.Event;
import io.lamina.messaging.event.StoredFile;
import io.lamina.repository.collection.CollectionRoots;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/** Gathers what unfinished requests refer to in the store. For one thread. */
final class References {
  private final Set<ContentHash> catalogs = new HashSet<>();
  private final Set<ContentHash> objects = new HashSet<>();

  void addGrafts(List<Graft> grafts) {
    grafts.forEach(graft -> catalogs.add(graft.catalog()));
  }

  /** What a request begins with. */
  void addRequest(Event begin) {
    if (begin instanceof Event.ImagePlanned plan) {
      plan.platforms()
          .forEach(
              platform -> {
                add(platform.manifest());
                add(platform.config());
              });
    }
  }

  void addWork(Event.Work work) {
    switch (work) {
      case Event.LayerRequested _ -> {}
      case Event.FlatRequested flat -> {
        addGrafts(flat.layers());
        add(flat.config());
      }
      case Event.ThinRequested thin -> add(thin.config());
    }
  }

  private void add(StoredFile file) {
    objects.add(file.object());
  }

  CollectionRoots roots() {
    return new CollectionRoots(catalogs, objects);
  }
}
