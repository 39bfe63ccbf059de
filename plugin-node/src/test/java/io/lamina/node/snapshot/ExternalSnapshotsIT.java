package io.lamina.node.snapshot;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.lamina.client.ClientSettings;
import io.lamina.client.EmbeddedClient;
import io.lamina.client.TestRepository;
import io.lamina.client.TestServer;
import io.lamina.cvmfs.RepositoryPath;
import io.lamina.cvmfs.tree.FileTree;
import io.lamina.image.Digest;
import io.lamina.image.thin.CvmfsUrl;
import io.lamina.node.cvmfs.ExternalClient;
import io.lamina.node.cvmfs.SharedRoots;
import io.lamina.node.snapshot.SnapshotInfo.Kind;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Snapshots of layers in a repository that the host mounts and not this process. */
class ExternalSnapshotsIT {
  private static final Digest LAYER = Digest.parse("sha256:" + "1".repeat(64));
  private static final String NAME = SnapshotRig.REPOSITORIES.getFirst();

  private final TestRepository repository = new TestRepository(NAME);
  private Path hostFolder;
  private SnapshotRig rig;
  private TestServer server;
  private EmbeddedClient host;
  private SharedRoots roots;

  @BeforeEach
  void open(@TempDir Path folder) throws IOException {
    assumeTrue(Files.exists(Path.of("/dev/fuse")), "this machine has no /dev/fuse");
    rig = new SnapshotRig(Files.createDirectory(folder.resolve("rig")));
    String layers = "/.layers";
    String path = "/" + CvmfsUrl.ofLayer(NAME, LAYER).path();
    FileTree tree = TestRepository.tree();
    tree.put(
        RepositoryPath.of(path.substring(layers.length()) + "/bin/tool"), repository.file("tool"));
    repository.with(layers.substring(1), tree).publish();
    server = new TestServer(repository.files());
    host = EmbeddedClient.open(ClientSettings.of(folder.resolve("cache"), 64 << 20), new Random(1));
    hostFolder = folder.resolve("cvmfs");
    Files.createDirectories(hostFolder.resolve(NAME));
    useHostFolder();
  }

  private void useHostFolder() {
    roots = new SharedRoots(new ExternalClient(hostFolder), SharedRoots.Times.DEFAULT);
    rig.roots = roots;
  }

  @AfterEach
  void close() {
    if (rig != null) {
      rig.close();
      roots.close();
      host.close();
      server.close();
    }
  }

  private void mountOnTheHost() {
    host.mount(repository.at(server.url()), hostFolder.resolve(NAME));
  }

  private static Map<String, String> labels(String target) {
    return Map.of(
        "containerd.io/snapshot.ref",
        target,
        "containerd.io/snapshot/cri.layer-digest",
        LAYER.toString());
  }

  private void assertNotPulled(String key, String target) {
    assertThatExceptionOfType(SnapshotException.AlreadyExists.class)
        .isThrownBy(() -> rig.snapshots().prepare(key, "", labels(target)));
  }

  @Test
  void readsLayersFromTheHostsMount() {
    mountOnTheHost();

    assertNotPulled("extract", "c");

    Path root = rig.prepare("container", "c");
    assertThat(SnapshotRig.read(root, "bin/tool")).isEqualTo("tool");
    SnapshotRig.write(root, "bin/tool", "changed");
    assertThat(SnapshotRig.read(root, "bin/tool")).isEqualTo("changed");
    assertThat(rig.snapshots().counts()).isEqualTo(new LayerSnapshots.Counts(1, 0, 1, 1));
    assertThat(roots.states())
        .singleElement()
        .satisfies(state -> assertThat(state.repository()).isEqualTo(NAME))
        .satisfies(state -> assertThat(state.uses()).isEqualTo(1));
    rig.snapshots().remove("container");
    assertThat(roots.states()).allSatisfy(state -> assertThat(state.uses()).isZero());
  }

  @Test
  void pullsUntilTheHostHasMountedTheRepository() {
    rig.snapshots().prepare("before", "", labels("c1"));
    assertThat(rig.snapshots().stat("before").kind()).isEqualTo(Kind.ACTIVE);
    mountOnTheHost();

    rig.pass(Duration.ofMinutes(1));

    assertNotPulled("after", "c2");
    assertThat(SnapshotRig.read(rig.prepare("container", "c2"), "bin/tool")).isEqualTo("tool");
  }

  @Test
  void refusesContainersWhenTheHostHasUnmountedTheRepository() {
    mountOnTheHost();
    assertNotPulled("extract", "c");
    roots.close();
    host.close();
    rig.stop();
    useHostFolder();

    assertThatExceptionOfType(SnapshotException.Unavailable.class)
        .isThrownBy(() -> rig.prepare("container", "c"))
        .withMessageContaining("nothing is mounted there");
  }
}
