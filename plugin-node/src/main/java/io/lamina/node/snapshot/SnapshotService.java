package io.lamina.node.snapshot;

import com.google.protobuf.Empty;
import com.google.protobuf.Timestamp;
import io.grpc.stub.StreamObserver;
import io.lamina.layers.LayerUsage;
import io.lamina.node.snapshot.wire.CleanupRequest;
import io.lamina.node.snapshot.wire.CommitSnapshotRequest;
import io.lamina.node.snapshot.wire.Info;
import io.lamina.node.snapshot.wire.Kind;
import io.lamina.node.snapshot.wire.ListSnapshotsRequest;
import io.lamina.node.snapshot.wire.ListSnapshotsResponse;
import io.lamina.node.snapshot.wire.Mount;
import io.lamina.node.snapshot.wire.MountsRequest;
import io.lamina.node.snapshot.wire.MountsResponse;
import io.lamina.node.snapshot.wire.PrepareSnapshotRequest;
import io.lamina.node.snapshot.wire.PrepareSnapshotResponse;
import io.lamina.node.snapshot.wire.RemoveSnapshotRequest;
import io.lamina.node.snapshot.wire.SnapshotsGrpc;
import io.lamina.node.snapshot.wire.StatSnapshotRequest;
import io.lamina.node.snapshot.wire.StatSnapshotResponse;
import io.lamina.node.snapshot.wire.UpdateSnapshotRequest;
import io.lamina.node.snapshot.wire.UpdateSnapshotResponse;
import io.lamina.node.snapshot.wire.UsageRequest;
import io.lamina.node.snapshot.wire.UsageResponse;
import io.lamina.node.snapshot.wire.ViewSnapshotRequest;
import io.lamina.node.snapshot.wire.ViewSnapshotResponse;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;

/**
 * The service as it is on the wire. Thread-safe.
 *
 * <p>Source: docs/snapshotter.md, "Calls".
 */
final class SnapshotService extends SnapshotsGrpc.SnapshotsImplBase {
  /** Labels of one snapshot are at most 4 MB, which is what clients take in one message. */
  private static final int MAX_PART_BYTES = 1 << 20;

  private final LayerSnapshots snapshots;
  private final SnapshotCalls calls;

  SnapshotService(LayerSnapshots snapshots, SnapshotCalls calls) {
    this.snapshots = snapshots;
    this.calls = calls;
  }

  @Override
  public void prepare(PrepareSnapshotRequest request, StreamObserver<PrepareSnapshotResponse> to) {
    calls.answer(
        "Prepare",
        to,
        () ->
            PrepareSnapshotResponse.newBuilder()
                .addAllMounts(
                    mounts(
                        snapshots.prepare(
                            request.getKey(), request.getParent(), request.getLabelsMap())))
                .build(),
        () -> snapshots.remove(request.getKey()));
  }

  @Override
  public void view(ViewSnapshotRequest request, StreamObserver<ViewSnapshotResponse> to) {
    calls.answer(
        "View",
        to,
        () ->
            ViewSnapshotResponse.newBuilder()
                .addAllMounts(
                    mounts(
                        snapshots.view(
                            request.getKey(), request.getParent(), request.getLabelsMap())))
                .build(),
        () -> snapshots.remove(request.getKey()));
  }

  @Override
  public void mounts(MountsRequest request, StreamObserver<MountsResponse> to) {
    calls.answer(
        "Mounts",
        to,
        () ->
            MountsResponse.newBuilder()
                .addAllMounts(mounts(snapshots.mounts(request.getKey())))
                .build(),
        () -> {});
  }

  @Override
  public void commit(CommitSnapshotRequest request, StreamObserver<Empty> to) {
    calls.answer(
        "Commit",
        to,
        () -> {
          snapshots.commit(request.getName(), request.getKey(), request.getLabelsMap());
          return Empty.getDefaultInstance();
        },
        () -> {});
  }

  @Override
  public void remove(RemoveSnapshotRequest request, StreamObserver<Empty> to) {
    calls.answer(
        "Remove",
        to,
        () -> {
          snapshots.remove(request.getKey());
          return Empty.getDefaultInstance();
        },
        () -> {});
  }

  @Override
  public void stat(StatSnapshotRequest request, StreamObserver<StatSnapshotResponse> to) {
    calls.answer(
        "Stat",
        to,
        () ->
            StatSnapshotResponse.newBuilder()
                .setInfo(info(snapshots.stat(request.getKey())))
                .build(),
        () -> {});
  }

  @Override
  public void update(UpdateSnapshotRequest request, StreamObserver<UpdateSnapshotResponse> to) {
    calls.answer(
        "Update",
        to,
        () ->
            UpdateSnapshotResponse.newBuilder()
                .setInfo(
                    info(
                        snapshots.update(
                            request.getInfo().getName(),
                            request.getInfo().getLabelsMap(),
                            request.getUpdateMask().getPathsList())))
                .build(),
        () -> {});
  }

  @Override
  public void list(ListSnapshotsRequest request, StreamObserver<ListSnapshotsResponse> to) {
    calls.stream("List", to, () -> parts(snapshots.list(request.getFiltersList())));
  }

  private static List<ListSnapshotsResponse> parts(List<SnapshotInfo> infos) {
    List<ListSnapshotsResponse> parts = new ArrayList<>();
    ListSnapshotsResponse.Builder part = ListSnapshotsResponse.newBuilder();
    int bytes = 0;
    for (SnapshotInfo each : infos) {
      Info info = info(each);
      if (bytes > 0 && bytes + info.getSerializedSize() > MAX_PART_BYTES) {
        parts.add(part.build());
        part = ListSnapshotsResponse.newBuilder();
        bytes = 0;
      }
      part.addInfo(info);
      bytes += info.getSerializedSize();
    }
    if (bytes > 0) {
      parts.add(part.build());
    }
    return parts;
  }

  @Override
  public void usage(UsageRequest request, StreamObserver<UsageResponse> to) {
    calls.answer(
        "Usage",
        to,
        () -> {
          LayerUsage usage = snapshots.usage(request.getKey());
          return UsageResponse.newBuilder()
              .setSize(usage.sizeBytes())
              .setInodes(usage.inodes())
              .build();
        },
        () -> {});
  }

  @Override
  public void cleanup(CleanupRequest request, StreamObserver<Empty> to) {
    calls.answer(
        "Cleanup",
        to,
        () -> {
          snapshots.cleanup();
          return Empty.getDefaultInstance();
        },
        () -> {});
  }

  private static List<Mount> mounts(List<SnapshotMount> mounts) {
    return mounts.stream()
        .map(
            mount ->
                Mount.newBuilder()
                    .setType(mount.type())
                    .setSource(mount.source())
                    .addAllOptions(mount.options())
                    .build())
        .toList();
  }

  private static Info info(SnapshotInfo info) {
    return Info.newBuilder()
        .setName(info.name())
        .setParent(info.parent())
        .setKind(
            switch (info.kind()) {
              case VIEW -> Kind.VIEW;
              case ACTIVE -> Kind.ACTIVE;
              case COMMITTED -> Kind.COMMITTED;
            })
        .setCreatedAt(timestamp(info.created()))
        .setUpdatedAt(timestamp(info.updated()))
        .putAllLabels(info.labels())
        .build();
  }

  private static Timestamp timestamp(Instant instant) {
    return Timestamp.newBuilder()
        .setSeconds(instant.getEpochSecond())
        .setNanos(instant.getNano())
        .build();
  }
}
