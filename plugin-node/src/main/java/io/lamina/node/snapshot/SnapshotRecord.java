package io.lamina.node.snapshot;

import io.lamina.image.thin.CvmfsUrl;
import io.lamina.layers.LayerId;
import io.lamina.layers.LayerUsage;
import java.util.Optional;

/**
 * What is stored of a snapshot. Immutable. Source: docs/snapshotter.md, "On the disk".
 *
 * @param layer its files; the same for the snapshot's whole life
 * @param usage of a committed snapshot; nothing for others
 * @param remote where CVMFS has its files; empty if they are on this node
 */
record SnapshotRecord(
    LayerId layer, SnapshotInfo info, LayerUsage usage, Optional<CvmfsUrl> remote) {
  static final LayerUsage NOTHING = new LayerUsage(0, 0);

  SnapshotRecord with(SnapshotInfo changed) {
    return new SnapshotRecord(layer, changed, usage, remote);
  }
}
