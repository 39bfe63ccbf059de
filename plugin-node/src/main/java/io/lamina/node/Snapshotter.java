package io.lamina.node;

import io.lamina.layers.CvmfsRoots;
import io.lamina.layers.LayersException;
import io.lamina.layers.StorageSettings;
import io.lamina.layers.overlay.OverlayStorage;
import io.lamina.node.graphdriver.DriverException;
import io.lamina.node.snapshot.LayerSnapshots;
import io.lamina.node.snapshot.SnapshotEndpoint;
import io.lamina.node.snapshot.SnapshotException;
import io.lamina.node.snapshot.SnapshotObserver;
import io.lamina.node.status.NodeStatus;
import java.nio.file.Path;
import java.time.Clock;

/** Snapshots of this node, served. Closing it unmounts nothing. Thread-safe. */
final class Snapshotter implements AutoCloseable {
  private final LayerSnapshots snapshots;
  private final SnapshotEndpoint endpoint;

  private Snapshotter(LayerSnapshots snapshots, SnapshotEndpoint endpoint) {
    this.snapshots = snapshots;
    this.endpoint = endpoint;
  }

  /**
   * @throws DriverException.Fatal if folders or the socket cannot be used
   */
  static Snapshotter start(
      NodeSettings settings,
      NodeSettings.Snapshots wanted,
      CvmfsRoots roots,
      SnapshotObserver observer) {
    Path home = settings.state().resolve("snapshots");
    try {
      LayerSnapshots snapshots =
          LayerSnapshots.open(
              OverlayStorage.open(
                  StorageSettings.of(
                      home.resolve("layers"), settings.runtime().resolve("snapshots")),
                  roots),
              home.resolve("records"),
              roots,
              wanted.repositories(),
              wanted.unverified(),
              Clock.systemUTC(),
              System::nanoTime);
      try {
        return new Snapshotter(
            snapshots,
            SnapshotEndpoint.start(
                snapshots,
                wanted.socket(),
                settings.maxCalls(),
                settings.deadlines().other(),
                observer));
      } catch (SnapshotException e) {
        snapshots.close();
        throw e;
      }
    } catch (SnapshotException | LayersException e) {
      throw new DriverException.Fatal(String.valueOf(e.getMessage()), e);
    }
  }

  Path socket() {
    return endpoint.socket();
  }

  NodeStatus.Snapshots status() {
    LayerSnapshots.Counts counts = snapshots.counts();
    return new NodeStatus.Snapshots(
        endpoint.socket().toString(),
        endpoint.callsInUse(),
        counts.active(),
        counts.views(),
        counts.committed(),
        counts.remote());
  }

  @Override
  public void close() {
    endpoint.close();
    snapshots.close();
  }
}
