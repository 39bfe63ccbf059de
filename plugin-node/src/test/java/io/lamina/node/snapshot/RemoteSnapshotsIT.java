package io.lamina.node.snapshot;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.lamina.image.Digest;
import io.lamina.node.snapshot.SnapshotInfo.Kind;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Snapshots of layers that repositories hold, as a pulling client asks for them. */
class RemoteSnapshotsIT {
  private static final Digest ONE = Digest.parse("sha256:" + "1".repeat(64));
  private static final Digest TWO = Digest.parse("sha256:" + "2".repeat(64));
  private static final String FIRST = SnapshotRig.REPOSITORIES.getFirst();
  private static final String SECOND = SnapshotRig.REPOSITORIES.getLast();

  private SnapshotRig rig;

  @BeforeEach
  void open(@TempDir Path folder) {
    rig = new SnapshotRig(folder);
  }

  @AfterEach
  void close() {
    rig.close();
  }

  private LayerSnapshots snapshots() {
    return rig.snapshots();
  }

  private static Map<String, String> labels(String target, String digest) {
    return Map.of(
        "containerd.io/snapshot.ref", target,
        "containerd.io/snapshot/cri.layer-digest", digest,
        "containerd.io/snapshot/cri.image-ref", "registry.example.org/image:1");
  }

  private void assertNotPulled(String key, String parent, String target, Digest digest) {
    assertThatExceptionOfType(SnapshotException.AlreadyExists.class)
        .isThrownBy(() -> snapshots().prepare(key, parent, labels(target, digest.toString())))
        .withMessageContaining(target);
  }

  /** As containerd looks for what it was told to be there already. */
  private SnapshotInfo found(String target, String parent) {
    return snapshots()
        .list(
            List.of(
                "labels.\"containerd.io/snapshot.ref\"==" + target + ",parent==\"" + parent + "\""))
        .getFirst();
  }

  @Test
  void commitsAtOnceWhatARepositoryHolds() {
    SnapshotRig.write(rig.cvmfs.layer(SECOND, ONE), "bin/tool", "tool");

    assertNotPulled("default/1/extract", "", "sha256:chain", ONE);

    SnapshotInfo info = found("sha256:chain", "");
    assertThat(info.name()).isEqualTo("sha256:chain");
    assertThat(info.kind()).isEqualTo(Kind.COMMITTED);
    assertThat(info.labels()).isEqualTo(labels("sha256:chain", ONE.toString()));
    assertThatExceptionOfType(SnapshotException.NotFound.class)
        .isThrownBy(() -> snapshots().stat("default/1/extract"));
    Path root = rig.prepare("container", "sha256:chain");
    assertThat(SnapshotRig.read(root, "bin/tool")).isEqualTo("tool");
    SnapshotRig.write(root, "bin/tool", "changed");
    assertThat(SnapshotRig.read(root, "bin/tool")).isEqualTo("changed");
    assertThat(SnapshotRig.read(rig.cvmfs.layer(SECOND, ONE), "bin/tool")).isEqualTo("tool");
    assertThat(snapshots().counts()).isEqualTo(new LayerSnapshots.Counts(1, 0, 1, 1));
  }

  @Test
  void mixesLayersOfRepositoriesWithPulledOnes() {
    SnapshotRig.write(rig.cvmfs.layer(FIRST, ONE), "one", "1");
    SnapshotRig.write(rig.cvmfs.layer(SECOND, TWO), "two", "2");
    assertNotPulled("k1", "", "c1", ONE);
    Path middle =
        SnapshotRig.shown(
            snapshots().prepare("k2", "c1", labels("c2", "sha256:" + "3".repeat(64))));
    assertThat(SnapshotRig.read(middle, "one")).isEqualTo("1");
    SnapshotRig.write(middle, "middle", "m");
    snapshots().commit("c2", "k2", labels("c2", "sha256:" + "3".repeat(64)));
    assertNotPulled("k3", "c2", "c3", TWO);

    Path root = rig.prepare("container", "c3");

    assertThat(SnapshotRig.read(root, "one")).isEqualTo("1");
    assertThat(SnapshotRig.read(root, "middle")).isEqualTo("m");
    assertThat(SnapshotRig.read(root, "two")).isEqualTo("2");
  }

  @Test
  void asksRepositoriesInTheirOrder() {
    SnapshotRig.write(rig.cvmfs.layer(FIRST, ONE), "from", "first");
    SnapshotRig.write(rig.cvmfs.layer(SECOND, ONE), "from", "second");

    assertNotPulled("k", "", "c", ONE);

    assertThat(SnapshotRig.read(rig.prepare("container", "c"), "from")).isEqualTo("first");
    assertThat(rig.cvmfs.asked(SECOND)).isZero();
  }

  static Stream<String> digestsThatAreNone() {
    return Stream.of(
        "",
        "sha256:",
        "sha256:..",
        "sha256:../../../../etc",
        "sha256:" + "g".repeat(64),
        "sha256:" + "1".repeat(63),
        "sha256:" + "1".repeat(65),
        "sha256:" + "1".repeat(3000),
        "sha512:" + "1".repeat(128),
        "1".repeat(64),
        "sha256:" + "1".repeat(64) + "/..",
        " sha256:" + "1".repeat(64));
  }

  @ParameterizedTest
  @MethodSource("digestsThatAreNone")
  void pullsWhatIsNotNamedByADigest(String digest) {
    SnapshotRig.write(rig.cvmfs.layer(FIRST, ONE), "one", "1");

    snapshots().prepare("k", "", labels("c", digest));

    assertThat(snapshots().stat("k").kind()).isEqualTo(Kind.ACTIVE);
    assertThat(rig.cvmfs.asked(FIRST)).isZero();
  }

  @Test
  void doesNotFollowALayerThatLeavesItsRepository(@TempDir Path outside) throws Exception {
    Path layer = rig.cvmfs.layer(FIRST, ONE);
    Files.delete(layer);
    Files.createSymbolicLink(layer, outside);

    snapshots().prepare("k", "", labels("c", ONE.toString()));

    assertThat(snapshots().stat("k").kind()).isEqualTo(Kind.ACTIVE);
  }

  @Test
  void pullsWithoutWaitingAgainWhenARepositoryIsAway() {
    rig.cvmfs.layer(FIRST, ONE);
    SnapshotRig.write(rig.cvmfs.layer(SECOND, TWO), "two", "2");
    rig.cvmfs.away.add(FIRST);

    snapshots().prepare("k1", "", labels("c1", ONE.toString()));
    assertNotPulled("k2", "", "c2", TWO);
    snapshots().prepare("k3", "", labels("c3", ONE.toString()));

    assertThat(rig.cvmfs.asked(FIRST)).isEqualTo(1);
    rig.cvmfs.away.clear();
    rig.pass(Duration.ofMinutes(1));
    assertNotPulled("k4", "", "c4", ONE);
  }

  @Test
  void refusesAContainerWhoseRepositoryIsAwayAndLeavesNothing() {
    SnapshotRig.write(rig.cvmfs.layer(FIRST, ONE), "one", "1");
    assertNotPulled("k", "", "c", ONE);
    rig.cvmfs.away.add(FIRST);
    List<String> layers = rig.layersOnDisk();

    assertThatThrownBy(() -> snapshots().prepare("container", "c", Map.of()))
        .isInstanceOf(SnapshotException.Unavailable.class)
        .hasMessageContaining(FIRST);

    assertThat(rig.layersOnDisk()).isEqualTo(layers);
    rig.cvmfs.away.clear();
    assertThat(SnapshotRig.read(rig.prepare("container", "c"), "one")).isEqualTo("1");
  }

  @Test
  void holdsARepositoryAsLongAsSnapshotsAreMounted() {
    SnapshotRig.write(rig.cvmfs.layer(FIRST, ONE), "one", "1");
    assertNotPulled("k", "", "c", ONE);
    assertThat(rig.cvmfs.uses(FIRST)).isZero();

    rig.prepare("a", "c");
    rig.prepare("b", "c");
    snapshots().mounts("a");
    assertThat(rig.cvmfs.uses(FIRST)).isEqualTo(2);
    snapshots().remove("a");
    snapshots().commit("committed", "b", Map.of());

    assertThat(rig.cvmfs.uses(FIRST)).isZero();
    assertThat(rig.mountsOfLayers()).isZero();
  }

  @Test
  void keepsRemoteSnapshotsAndTheirMountsOverARestart() {
    SnapshotRig.write(rig.cvmfs.layer(FIRST, ONE), "one", "1");
    assertNotPulled("k", "", "c", ONE);
    Path root = rig.prepare("a", "c");
    List<SnapshotInfo> before = snapshots().list(List.of());

    LayerSnapshots next = rig.reopened();

    assertThat(next.list(List.of())).isEqualTo(before);
    assertThat(SnapshotRig.read(root, "one")).isEqualTo("1");
    assertThat(SnapshotRig.shown(next.mounts("a"))).isEqualTo(root);
    assertNotPulled("other", "", "c", ONE);
    next.remove("a");
    next.remove("c");
    assertThat(rig.layersOnDisk()).isEmpty();
  }

  @Test
  void mountsAnewWhenTheClientOfAStoppedContainerHasEnded() {
    SnapshotRig.write(rig.cvmfs.layer(FIRST, ONE), "one", "1");
    assertNotPulled("k", "", "c", ONE);
    Path root = rig.prepare("a", "c");
    SnapshotRig.write(root, "written", "w");
    rig.cvmfs.generation++;

    Path again = SnapshotRig.shown(snapshots().mounts("a"));

    assertThat(SnapshotRig.read(again, "one")).isEqualTo("1");
    assertThat(SnapshotRig.read(again, "written")).isEqualTo("w");
    assertThat(rig.mountsOfLayers()).isEqualTo(1);
    assertThat(rig.cvmfs.uses(FIRST)).isEqualTo(1);
  }

  @Test
  void sharesARemoteSnapshotBetweenNamespaces() {
    SnapshotRig.write(rig.cvmfs.layer(FIRST, ONE), "one", "1");
    assertNotPulled("first/1/extract", "", "c", ONE);
    assertNotPulled("second/1/extract", "", "c", ONE);

    assertThat(snapshots().list(List.of())).hasSize(1);
  }

  /** A config may claim the chain of another image, which only unpacking can check. */
  @Test
  void pullsWhatClaimsToBeAKnownLayerButIsAnotherBlob() {
    SnapshotRig.write(rig.cvmfs.layer(FIRST, ONE), "one", "1");
    SnapshotRig.write(rig.cvmfs.layer(FIRST, TWO), "two", "2");
    assertNotPulled("hostile/1/extract", "", "c", ONE);

    snapshots().prepare("honest/1/extract", "", labels("c", TWO.toString()));

    assertThat(snapshots().stat("honest/1/extract").kind()).isEqualTo(Kind.ACTIVE);
  }

  @Test
  void keepsTheSameTargetApartOnOtherParents() {
    SnapshotRig.write(rig.cvmfs.layer(FIRST, TWO), "two", "2");
    rig.commit("p1", "", "p", "1");
    rig.commit("p2", "", "p", "2");
    assertNotPulled("k1", "p1", "c", TWO);
    assertNotPulled("k2", "p2", "c", TWO);

    assertThat(found("c", "p1").name()).isEqualTo("c");
    assertThat(found("c", "p2").name()).isEqualTo("k2");
    assertThat(SnapshotRig.read(rig.prepare("a", "k2"), "p")).isEqualTo("2");
  }

  @Test
  void pullsForViewsAndWithoutATarget() {
    SnapshotRig.write(rig.cvmfs.layer(FIRST, ONE), "one", "1");

    snapshots().view("v", "", labels("c", ONE.toString()));
    snapshots().prepare("a", "", Map.of("containerd.io/snapshot/cri.layer-digest", ONE.toString()));

    assertThat(rig.cvmfs.asked(FIRST)).isZero();
  }

  private void diffId(String repository, Digest layer, Digest diffId) throws IOException {
    Files.createSymbolicLink(
        rig.cvmfs.layer(repository, layer).resolveSibling("diff-id"), Path.of(diffId.toString()));
  }

  private static String chained(String below, Digest diffId) {
    return Digest.sha256((below + " " + diffId).getBytes(StandardCharsets.UTF_8)).toString();
  }

  @Test
  void comparesChainsWithTheDiffIdsThatTheRepositoryHasVerified() throws IOException {
    rig.unverified = false;
    Digest diffOne = Digest.parse("sha256:" + "a".repeat(64));
    Digest diffTwo = Digest.parse("sha256:" + "b".repeat(64));
    SnapshotRig.write(rig.cvmfs.layer(FIRST, ONE), "one", "1");
    SnapshotRig.write(rig.cvmfs.layer(FIRST, TWO), "two", "2");
    diffId(FIRST, ONE, diffOne);
    diffId(FIRST, TWO, diffTwo);

    snapshots().prepare("lie", "", labels(diffTwo.toString(), ONE.toString()));
    assertThat(snapshots().stat("lie").kind()).isEqualTo(Kind.ACTIVE);
    assertNotPulled("k1", "", diffOne.toString(), ONE);
    snapshots()
        .prepare("lie2", diffOne.toString(), labels(chained("sha256:x", diffTwo), TWO.toString()));
    assertThat(snapshots().stat("lie2").kind()).isEqualTo(Kind.ACTIVE);
    assertNotPulled("k2", diffOne.toString(), chained(diffOne.toString(), diffTwo), TWO);
  }

  @Test
  void takesTheLayerOfARepositoryThatSaysTheRightDiffId() throws IOException {
    Digest right = Digest.parse("sha256:" + "a".repeat(64));
    SnapshotRig.write(rig.cvmfs.layer(FIRST, ONE), "from", "first");
    SnapshotRig.write(rig.cvmfs.layer(SECOND, ONE), "from", "second");
    diffId(FIRST, ONE, TWO);
    diffId(SECOND, ONE, right);

    assertNotPulled("k", "", right.toString(), ONE);

    assertThat(SnapshotRig.read(rig.prepare("container", right.toString()), "from"))
        .isEqualTo("second");
  }

  @Test
  void pullsLayersWithoutDiffIdsWhereTheyAreNotTrusted() throws IOException {
    rig.unverified = false;
    SnapshotRig.write(rig.cvmfs.layer(FIRST, ONE), "one", "1");
    Path link = rig.cvmfs.layer(FIRST, ONE).resolveSibling("diff-id");

    snapshots().prepare("k1", "", labels("c1", ONE.toString()));
    Files.createSymbolicLink(link, Path.of("../../elsewhere"));
    snapshots().prepare("k2", "", labels("c2", ONE.toString()));

    assertThat(snapshots().stat("k1").kind()).isEqualTo(Kind.ACTIVE);
    assertThat(snapshots().stat("k2").kind()).isEqualTo(Kind.ACTIVE);
  }
}
