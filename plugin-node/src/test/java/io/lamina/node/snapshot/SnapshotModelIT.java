package io.lamina.node.snapshot;

import static org.assertj.core.api.Assertions.assertThat;

import io.lamina.node.snapshot.SnapshotInfo.Kind;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Random;
import java.util.TreeMap;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Random calls, right and wrong, with restarts in between, against a few lines that say what
 * containerd expects of each. Every snapshot holds a file that names it, and the files below.
 */
class SnapshotModelIT {
  private static final int STEPS = 150;
  private static final List<String> NAMES = List.of("a", "b", "c", "d", "e", "f");
  private static final List<String> PARENTS = List.of("", "a", "b", "c", "d", "e", "f");

  /** What is expected: snapshots by name, and the files that each shows. */
  private final Map<String, SnapshotInfo> model = new TreeMap<>();

  private final Map<String, Map<String, String>> files = new HashMap<>();
  private int writes;

  @ParameterizedTest(name = "seed {0}")
  @ValueSource(longs = {1, 2, 3, 4})
  void behavesAsContainerdExpects(long seed, @TempDir Path folder) {
    Random random = new Random(seed);
    try (SnapshotRig rig = new SnapshotRig(folder)) {
      for (int step = 0; step < STEPS; step++) {
        rig.pass(Duration.ofSeconds(1));
        String name = NAMES.get(random.nextInt(NAMES.size()));
        String other = PARENTS.get(random.nextInt(PARENTS.size()));
        Map<String, String> labels = random.nextBoolean() ? Map.of() : Map.of("step", "" + step);
        switch (random.nextInt(12)) {
          case 0, 1, 2, 3 -> create(rig, Kind.ACTIVE, name, other, labels);
          case 4 -> create(rig, Kind.VIEW, name, other, labels);
          case 5, 6, 7 -> commit(rig, name, other, labels);
          case 8, 9 -> remove(rig, name);
          case 10 -> update(rig, name, labels);
          default -> rig.reopened();
        }
        assertThat(rig.snapshots().list(List.of()))
            .as("seed %d, step %d", seed, step)
            .containsExactlyElementsOf(model.values());
        assertThat(rig.layersOnDisk()).hasSameSizeAs(model.keySet());
      }
      model.values().stream()
          .filter(info -> info.kind() != Kind.COMMITTED)
          .forEach(
              info ->
                  assertShown(SnapshotRig.shown(rig.snapshots().mounts(info.name())), info.name()));
    }
  }

  private SnapshotInfo info(String name) {
    return Objects.requireNonNull(model.get(name));
  }

  private Map<String, String> files(String name) {
    return Objects.requireNonNull(files.get(name));
  }

  private static String failure(Runnable call) {
    try {
      call.run();
      return "";
    } catch (SnapshotException e) {
      return e.getClass().getSimpleName();
    }
  }

  private void create(
      SnapshotRig rig, Kind kind, String key, String parent, Map<String, String> labels) {
    String expected;
    if (!parent.isEmpty() && !model.containsKey(parent)) {
      expected = "NotFound";
    } else if (!parent.isEmpty() && info(parent).kind() != Kind.COMMITTED) {
      expected = "Invalid";
    } else {
      expected = model.containsKey(key) ? "AlreadyExists" : "";
    }
    Path[] shown = new Path[1];
    assertThat(
            failure(
                () ->
                    shown[0] =
                        SnapshotRig.shown(
                            kind == Kind.VIEW
                                ? rig.snapshots().view(key, parent, labels)
                                : rig.snapshots().prepare(key, parent, labels))))
        .isEqualTo(expected);
    if (expected.isEmpty()) {
      model.put(
          key, new SnapshotInfo(key, parent, kind, new TreeMap<>(labels), rig.now(), rig.now()));
      files.put(key, new TreeMap<>(files.getOrDefault(parent, Map.of())));
      assertShown(shown[0], key);
      if (kind == Kind.ACTIVE) {
        String content = "" + ++writes;
        SnapshotRig.write(shown[0], "file-" + key, content);
        files(key).put("file-" + key, content);
      }
    }
  }

  private void assertShown(Path root, String name) {
    assertThat(root.toFile().list()).hasSize(files(name).size());
    files(name)
        .forEach((file, content) -> assertThat(SnapshotRig.read(root, file)).isEqualTo(content));
  }

  private void commit(SnapshotRig rig, String name, String key, Map<String, String> labels) {
    String expected;
    if (model.containsKey(name)) {
      expected = "AlreadyExists";
    } else if (!model.containsKey(key)) {
      expected = "NotFound";
    } else {
      expected = info(key).kind() == Kind.ACTIVE ? "" : "FailedPrecondition";
    }
    assertThat(failure(() -> rig.snapshots().commit(name, key, labels))).isEqualTo(expected);
    if (expected.isEmpty()) {
      SnapshotInfo active = info(key);
      model.remove(key);
      model.put(
          name,
          new SnapshotInfo(
              name, active.parent(), Kind.COMMITTED, new TreeMap<>(labels), rig.now(), rig.now()));
      files.put(name, files(key));
      files.remove(key);
    }
  }

  private void remove(SnapshotRig rig, String name) {
    String expected;
    if (!model.containsKey(name)) {
      expected = "NotFound";
    } else {
      boolean isParent = model.values().stream().anyMatch(info -> info.parent().equals(name));
      expected = isParent ? "FailedPrecondition" : "";
    }
    assertThat(failure(() -> rig.snapshots().remove(name))).isEqualTo(expected);
    if (expected.isEmpty()) {
      model.remove(name);
      files.remove(name);
    }
  }

  private void update(SnapshotRig rig, String name, Map<String, String> labels) {
    String expected = model.containsKey(name) ? "" : "NotFound";
    assertThat(failure(() -> rig.snapshots().update(name, labels, List.of()))).isEqualTo(expected);
    if (expected.isEmpty()) {
      SnapshotInfo info = info(name);
      model.put(
          name,
          new SnapshotInfo(
              name, info.parent(), info.kind(), new TreeMap<>(labels), info.created(), rig.now()));
    }
  }
}
