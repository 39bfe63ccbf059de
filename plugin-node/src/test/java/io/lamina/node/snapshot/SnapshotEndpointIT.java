package io.lamina.node.snapshot;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import com.google.protobuf.FieldMask;
import io.grpc.ManagedChannel;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.netty.NettyChannelBuilder;
import io.lamina.node.snapshot.wire.CleanupRequest;
import io.lamina.node.snapshot.wire.CommitSnapshotRequest;
import io.lamina.node.snapshot.wire.Info;
import io.lamina.node.snapshot.wire.Kind;
import io.lamina.node.snapshot.wire.ListSnapshotsRequest;
import io.lamina.node.snapshot.wire.ListSnapshotsResponse;
import io.lamina.node.snapshot.wire.Mount;
import io.lamina.node.snapshot.wire.MountsRequest;
import io.lamina.node.snapshot.wire.PrepareSnapshotRequest;
import io.lamina.node.snapshot.wire.RemoveSnapshotRequest;
import io.lamina.node.snapshot.wire.SnapshotsGrpc;
import io.lamina.node.snapshot.wire.StatSnapshotRequest;
import io.lamina.node.snapshot.wire.UpdateSnapshotRequest;
import io.lamina.node.snapshot.wire.UsageRequest;
import io.lamina.node.snapshot.wire.ViewSnapshotRequest;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.nio.NioIoHandler;
import io.netty.channel.socket.nio.NioDomainSocketChannel;
import java.net.UnixDomainSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The service as clients see it on its socket. */
class SnapshotEndpointIT {
  private final ConcurrentLinkedQueue<String> ended = new ConcurrentLinkedQueue<>();
  private SnapshotRig rig;
  private SnapshotEndpoint endpoint;
  private EventLoopGroup loop;
  private ManagedChannel channel;
  private SnapshotsGrpc.SnapshotsBlockingStub client;

  @BeforeEach
  void open(@TempDir Path folder) {
    rig = new SnapshotRig(folder);
    endpoint =
        SnapshotEndpoint.start(
            rig.snapshots(),
            folder.resolve("socket/s.sock"),
            32,
            Duration.ofMinutes(2),
            (call, _, succeeded) -> ended.add(call + " " + succeeded));
    loop = new MultiThreadIoEventLoopGroup(1, NioIoHandler.newFactory());
    channel =
        NettyChannelBuilder.forAddress(UnixDomainSocketAddress.of(endpoint.socket()))
            .channelType(NioDomainSocketChannel.class)
            .eventLoopGroup(loop)
            .usePlaintext()
            .build();
    client = SnapshotsGrpc.newBlockingStub(channel).withDeadlineAfter(2, TimeUnit.MINUTES);
  }

  @AfterEach
  void close() {
    if (endpoint != null) {
      channel.shutdownNow();
      loop.shutdownGracefully(0, 1, TimeUnit.SECONDS);
      endpoint.close();
    }
    rig.close();
  }

  private List<Mount> prepare(String key, String parent, Map<String, String> labels) {
    return client
        .prepare(
            PrepareSnapshotRequest.newBuilder()
                .setSnapshotter("lamina")
                .setKey(key)
                .setParent(parent)
                .putAllLabels(labels)
                .build())
        .getMountsList();
  }

  private void commit(String name, String key, Map<String, String> labels) {
    client.commit(
        CommitSnapshotRequest.newBuilder().setName(name).setKey(key).putAllLabels(labels).build());
  }

  private void view(String key, String parent, Map<String, String> labels) {
    client.view(
        ViewSnapshotRequest.newBuilder()
            .setKey(key)
            .setParent(parent)
            .putAllLabels(labels)
            .build());
  }

  private List<Info> list(String... filters) {
    List<Info> all = new ArrayList<>();
    client
        .list(ListSnapshotsRequest.newBuilder().addAllFilters(List.of(filters)).build())
        .forEachRemaining(part -> all.addAll(part.getInfoList()));
    return all;
  }

  @Test
  void carriesASnapshotThroughItsLife() {
    List<Mount> made = prepare("default/1/a", "", Map.of("l", "1"));
    SnapshotRig.write(Path.of(made.getFirst().getSource()), "file", "123");
    assertThat(made)
        .isEqualTo(
            client
                .mounts(MountsRequest.newBuilder().setKey("default/1/a").build())
                .getMountsList());
    assertThat(client.usage(UsageRequest.newBuilder().setKey("default/1/a").build()).getSize())
        .isEqualTo(3);
    rig.pass(Duration.ofSeconds(3));
    commit("default/2/c", "default/1/a", Map.of("m", "2"));

    Info info =
        client.stat(StatSnapshotRequest.newBuilder().setKey("default/2/c").build()).getInfo();
    assertThat(info.getName()).isEqualTo("default/2/c");
    assertThat(info.getKind()).isEqualTo(Kind.COMMITTED);
    assertThat(info.getCreatedAt().getSeconds()).isEqualTo(rig.now().getEpochSecond());
    assertThat(info.getLabelsMap()).isEqualTo(Map.of("m", "2"));
    Info updated =
        client
            .update(
                UpdateSnapshotRequest.newBuilder()
                    .setInfo(Info.newBuilder().setName("default/2/c").putLabels("n", "3"))
                    .setUpdateMask(FieldMask.newBuilder().addPaths("labels.n"))
                    .build())
            .getInfo();
    assertThat(updated.getLabelsMap()).isEqualTo(Map.of("m", "2", "n", "3"));
    client.remove(RemoveSnapshotRequest.newBuilder().setKey("default/2/c").build());
    client.cleanup(CleanupRequest.getDefaultInstance());
    assertThat(list()).isEmpty();
    assertThat(ended).contains("Prepare true", "Commit true", "Remove true", "Cleanup true");
  }

  @Test
  void tellsErrorsByTheirCodes() {
    prepare("a", "", Map.of());
    commit("c", "a", Map.of());
    prepare("b", "c", Map.of());

    assertThat(code(() -> prepare("b", "c", Map.of()))).isEqualTo(Status.Code.ALREADY_EXISTS);
    assertThat(code(() -> prepare("n", "b", Map.of()))).isEqualTo(Status.Code.INVALID_ARGUMENT);
    assertThat(code(() -> prepare("n", "no", Map.of()))).isEqualTo(Status.Code.NOT_FOUND);
    assertThat(code(() -> commit("n", "c", Map.of()))).isEqualTo(Status.Code.FAILED_PRECONDITION);
    assertThat(code(() -> client.remove(RemoveSnapshotRequest.newBuilder().setKey("c").build())))
        .isEqualTo(Status.Code.FAILED_PRECONDITION);
    assertThat(code(() -> list("name="))).isEqualTo(Status.Code.INVALID_ARGUMENT);
    assertThat(code(() -> prepare("n", "", Map.of("big", "x".repeat(9 << 20)))))
        .isEqualTo(Status.Code.RESOURCE_EXHAUSTED);
  }

  private static Status.Code code(Runnable call) {
    StatusRuntimeException[] thrown = new StatusRuntimeException[1];
    assertThatExceptionOfType(StatusRuntimeException.class)
        .isThrownBy(call::run)
        .satisfies(e -> thrown[0] = e);
    return thrown[0].getStatus().getCode();
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '\0',
      value = {
        "labels.\"containerd.io/gc.root\"==check | a a-np a-np-wl a-wl p p-wl v v-wl",
        "kind==active,labels.\"containerd.io/gc.root\"==check | a a-np a-np-wl a-wl",
        "kind==view , labels.\"containerd.io/gc.root\"==check | v v-wl",
        "kind==committed | p p-wl",
        "name==p;name==a-np-wl | a-np-wl p",
        "name==a-wl,labels.l | a-wl",
        "parent==p | a v",
        "parent==\"p\" | a v",
        "parent!=\"\" | a a-wl v v-wl",
        "labels.l | a-np-wl a-wl p-wl v-wl",
        "labels.l==2 | a-np-wl a-wl",
        "labels.l!=2 | a a-np p p-wl v v-wl",
        "name~=/^a-.*wl$/ | a-np-wl a-wl",
        "name~=^v | v v-wl",
        "labels.missing |",
        "size==1 |",
      })
  void listsWhatFiltersFit(String filters, String names) {
    Map<String, String> root = Map.of("containerd.io/gc.root", "check");
    prepare("a-np", "", root);
    prepare("p-tmp", "", root);
    commit("p", "p-tmp", root);
    prepare("a", "p", root);
    view("v", "p", root);
    prepare("p-wl-tmp", "", root);
    commit("p-wl", "p-wl-tmp", Map.of("l", "1", "containerd.io/gc.root", "check"));
    Map<String, String> two = Map.of("l", "2", "containerd.io/gc.root", "check");
    prepare("a-wl", "p-wl", two);
    view("v-wl", "p-wl", Map.of("l", "3", "containerd.io/gc.root", "check"));
    prepare("a-np-wl", "", two);

    assertThat(list(filters.split(";")).stream().map(Info::getName).sorted())
        .containsExactlyElementsOf(names == null ? List.of() : List.of(names.split(" ")));
  }

  @Test
  void sendsLongListsInParts() {
    Map<String, String> labels = new HashMap<>();
    for (int i = 0; i < 100; i++) {
      labels.put("label-" + i, "x".repeat(4000));
    }
    for (int i = 0; i < 20; i++) {
      prepare("key-" + i, "", labels);
    }
    List<ListSnapshotsResponse> parts = new ArrayList<>();
    client.list(ListSnapshotsRequest.getDefaultInstance()).forEachRemaining(parts::add);

    assertThat(parts.stream().mapToInt(ListSnapshotsResponse::getInfoCount).sum()).isEqualTo(20);
    assertThat(parts)
        .hasSizeGreaterThan(5)
        .allSatisfy(part -> assertThat(part.getSerializedSize()).isLessThan(4 << 20));
  }

  @Test
  void isForRootAloneAndGoneAfterwards() throws Exception {
    Path socket = endpoint.socket();
    assertThat(Files.getPosixFilePermissions(socket))
        .isEqualTo(PosixFilePermissions.fromString("rw-------"));
    assertThat(socket.getParent()).isDirectoryNotContaining(file -> !file.equals(socket));

    endpoint.close();

    assertThat(socket.getParent()).isEmptyDirectory();
  }
}
