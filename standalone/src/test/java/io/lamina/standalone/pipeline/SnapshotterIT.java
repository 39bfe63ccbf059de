package io.lamina.standalone.pipeline;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import io.lamina.image.Digest;
import io.lamina.image.testing.ImageBuilder;
import io.lamina.image.testing.ReferenceRegistry;
import io.lamina.image.testing.TarBuilder.Compression;
import io.lamina.image.testing.TestImage;
import io.lamina.linux.MountTable;
import io.lamina.node.docker.Containerd;
import io.lamina.node.docker.NeedsContainerd;
import io.lamina.node.docker.PluginProcess;
import io.lamina.node.docker.TarArchive;
import io.lamina.node.docker.WorkFolder;
import io.lamina.standalone.EmbeddedLamina;
import io.lamina.standalone.client.GatewayClient;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * A containerd that pulls from a registry what a repository of the pipeline does not hold: one
 * image is published, another one shares its base and is not.
 */
@NeedsContainerd
@SuppressWarnings("NullAway.Init")
@Timeout(600)
class SnapshotterIT {
  private static final TestRepository REPOSITORY = new TestRepository("snapshots.lamina.test");
  private static final String OTHER = "plain";

  @TempDir static Path folder;

  private static ReferenceRegistry registry;
  private static BlobProxy proxy;
  private static EmbeddedLamina lamina;
  private static GatewayClient gateway;
  private static WorkFolder work;
  private static PluginProcess plugin;
  private static Containerd containerd;
  private static TestImage published;
  private static TestImage sharing;

  @BeforeAll
  static void start() throws IOException {
    ReferenceRegistry.assumeInstalled();
    registry = ReferenceRegistry.start(Files.createDirectory(folder.resolve("registry")));
    proxy = new BlobProxy(registry.host());
    lamina = EmbeddedLamina.start(folder.resolve("data"), 0);
    gateway = new GatewayClient(lamina.address(), Optional.empty());
    REPOSITORY.create(gateway);
    byte[] base = TarArchive.busybox().file("etc/gone", 0644, "gone\n").toBytes();
    published =
        ImageBuilder.docker()
            .layer(Compression.GZIP, base)
            .layer(
                Compression.GZIP,
                new TarArchive()
                    .directory("opt", 0755)
                    .file("opt/published", 0644, "published\n")
                    .file("etc/.wh.gone", 0644, "")
                    .toBytes())
            .config(config -> config.putArray("Cmd").add("/bin/sh"))
            .build();
    sharing =
        ImageBuilder.docker()
            .layer(Compression.GZIP, base)
            .layer(
                Compression.GZIP,
                new TarArchive()
                    .directory("opt", 0755)
                    .file("opt/pulled", 0644, "pulled\n")
                    .file("etc/.wh.gone", 0644, "")
                    .toBytes())
            .config(config -> config.putArray("Cmd").add("/bin/sh"))
            .build();
    registry.push("team/published", "1", published);
    registry.push("team/sharing", "1", sharing);
    JsonNode accepted =
        REPOSITORY.convert(gateway, registry.host() + "/team/published:1", body -> {});
    TestRepository.assertDone(TestRepository.end(gateway, accepted));

    work = WorkFolder.create();
    Path socket = work.path("s/s.sock");
    plugin =
        PluginProcess.start(
            work.path("p"),
            work.driver(),
            new TreeMap<>(
                Map.of(
                    "plugin.client",
                    "embedded",
                    "plugin.docker",
                    "false",
                    "plugin.snapshotter.socket",
                    socket.toString(),
                    "plugin.repository." + REPOSITORY.name(),
                    lamina.address()
                        + "/cvmfs/"
                        + REPOSITORY.name()
                        + ","
                        + lamina.publicKey(REPOSITORY.name()))));
    containerd = Containerd.start(work.path("c"), socket);
  }

  @AfterAll
  static void stop() throws Exception {
    for (AutoCloseable part :
        new AutoCloseable[] {containerd, plugin, work, gateway, lamina, proxy, registry}) {
      if (part != null) {
        part.close();
      }
    }
  }

  @AfterEach
  void leaveNothing() {
    for (String image : List.of("published", "sharing")) {
      containerd.removeByCri(reference(image));
      containerd.ctr(OTHER, "image", "rm", "--sync", reference(image));
    }
    // Collects what the images held.
    containerd.ok(Containerd.CRI, "content", "prune", "references");
    assertThat(containerd.snapshots(Containerd.CRI)).isEmpty();
    assertThat(containerd.snapshots(OTHER)).isEmpty();
    assertThat(below("layers/layers")).isEmpty();
    assertThat(below("records")).isEmpty();
    assertThat(layerMounts()).isEmpty();
  }

  private static String reference(String image) {
    return proxy.host() + "/team/" + image + ":1";
  }

  private static List<String> below(String part) {
    try (Stream<Path> files = Files.list(plugin.state().resolve("snapshots").resolve(part))) {
      return files.map(file -> file.getFileName().toString()).sorted().toList();
    } catch (IOException e) {
      throw new AssertionError(e);
    }
  }

  private static List<String> layerMounts() {
    return MountTable.read().below(plugin.state().resolve("snapshots")).stream()
        .map(mount -> mount.path())
        .toList();
  }

  private static void startPluginAgain() {
    plugin.startAgain();
    containerd.awaitSnapshotter();
  }

  private static Digest layer(TestImage image, int index) {
    return image.layers().get(index).blob().digest();
  }

  @Test
  void pullsOnlyLayersThatTheRepositoryDoesNotHold() {
    int base = proxy.fetched(layer(sharing, 0));
    int own = proxy.fetched(layer(sharing, 1));

    containerd.pullByCri(reference("sharing"));

    assertThat(proxy.fetched(layer(sharing, 0))).isEqualTo(base);
    assertThat(proxy.fetched(layer(sharing, 1))).isEqualTo(own + 1);
    assertThat(
            containerd.run(
                Containerd.CRI,
                reference("sharing"),
                "mixed",
                "cat /opt/pulled; ls /etc/gone; echo own > /own && cat /own"))
        .isEqualTo("pulled\nown");
  }

  @Test
  void pullsNoLayerOfAPublishedImageAndRunsIt() {
    int before = proxy.fetched(layer(published, 0)) + proxy.fetched(layer(published, 1));

    containerd.pullByCri(reference("published"));

    assertThat(proxy.fetched(layer(published, 0)) + proxy.fetched(layer(published, 1)))
        .isEqualTo(before);
    assertThat(containerd.snapshots(Containerd.CRI)).hasSize(2);
    assertThat(
            containerd.run(
                Containerd.CRI,
                reference("published"),
                "thin",
                "cat /opt/published; ls /etc/gone || rm /opt/published; ls /opt; echo end"))
        .isEqualTo("published\nend");
  }

  /** This release of the command does not tell which layers it pulls. */
  @Test
  void servesClientsThatTellNothingAsAnOrdinarySnapshotter() {
    int before = proxy.fetched(layer(published, 0));

    containerd.ok(
        OTHER, "image", "pull", "--plain-http", "--snapshotter", "lamina", reference("published"));

    assertThat(proxy.fetched(layer(published, 0))).isEqualTo(before + 1);
    assertThat(containerd.run(OTHER, reference("published"), "plain", "cat /opt/published"))
        .isEqualTo("published");
    containerd.ctr(OTHER, "image", "rm", "--sync", reference("published"));
  }

  @Test
  void containersLiveOnWhenContainerdIsKilled() {
    containerd.pullByCri(reference("published"));
    containerd.startSleeping(Containerd.CRI, reference("published"), "living");

    containerd.kill();
    containerd.startAgain();

    assertThat(containerd.exec(Containerd.CRI, "living", "cat /opt/published").out())
        .isEqualTo("published");
    containerd.remove(Containerd.CRI, "living");
  }

  @Test
  void containersOfPulledLayersLiveOnWhenThePluginIsKilledOrStopped() {
    containerd.ok(
        OTHER, "image", "pull", "--plain-http", "--snapshotter", "lamina", reference("sharing"));
    containerd.startSleeping(OTHER, reference("sharing"), "busy");
    containerd.exec(OTHER, "busy", "echo own > /own");

    plugin.kill();
    startPluginAgain();
    assertThat(containerd.exec(OTHER, "busy", "cat /own /opt/pulled").out())
        .isEqualTo("own\npulled");
    plugin.stop();
    assertThat(containerd.exec(OTHER, "busy", "cat /own").out()).isEqualTo("own");
    startPluginAgain();

    assertThat(containerd.run(OTHER, reference("sharing"), "again", "cat /opt/pulled"))
        .isEqualTo("pulled");
    containerd.remove(OTHER, "busy");
    containerd.ctr(OTHER, "image", "rm", "--sync", reference("sharing"));
  }

  /** The embedded client ends with the plugin. */
  @Test
  void aContainerWhoseClientEndedCanBeStartedAgain() {
    containerd.pullByCri(reference("published"));
    containerd.startSleeping(Containerd.CRI, reference("published"), "thin");
    containerd.exec(Containerd.CRI, "thin", "echo own > /own");

    plugin.kill();
    startPluginAgain();
    assertThat(containerd.exec(Containerd.CRI, "thin", "cat /opt/published").exitCode())
        .isNotZero();
    assertThat(
            containerd.run(Containerd.CRI, reference("published"), "another", "cat /opt/published"))
        .isEqualTo("published");
    containerd.restart(Containerd.CRI, "thin");

    assertThat(containerd.exec(Containerd.CRI, "thin", "cat /own /opt/published").out())
        .isEqualTo("own\npublished");
    containerd.remove(Containerd.CRI, "thin");
  }
}
