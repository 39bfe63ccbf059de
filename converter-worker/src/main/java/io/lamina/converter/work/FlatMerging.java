package io.lamina.converter.work;

import io.lamina.messaging.event.Event.FlatMerged;
import io.lamina.messaging.event.Event.FlatRequested;
import io.lamina.storage.ObjectStore;

/** Merges the catalogs of an image's layers. Thread-safe. */
@FunctionalInterface
public interface FlatMerging {
  /** Returns when the merged tree's catalogs are durable. */
  FlatMerged merge(FlatRequested work, ObjectStore store, Jobs.Progress progress)
      throws InterruptedException;
}
