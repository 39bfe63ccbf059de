package io.lamina.cvmfs.tree;

import static io.lamina.cvmfs.tree.Entries.file;
import static io.lamina.cvmfs.tree.Entries.listing;
import static io.lamina.cvmfs.tree.Entries.path;
import static io.lamina.cvmfs.tree.Entries.symlink;
import static io.lamina.cvmfs.tree.Entries.tree;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.lamina.cvmfs.CvmfsException;
import io.lamina.cvmfs.RepositoryPath;
import io.lamina.cvmfs.catalog.CatalogEntry;
import io.lamina.cvmfs.catalog.Xattrs;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.Map;
import java.util.Objects;
import java.util.Random;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class LayerMergeTest {
  private final FileTree lower = tree();
  private final FileTree upper = tree();

  @Test
  void whiteoutsHideWhatIsBelowAndVanish() {
    lower.put(path("/a/b"), file(1));
    lower.put(path("/a/c/d"), file(1));
    lower.put(path("/keep"), file(1));
    upper.put(path("/a/b"), Entries.WHITEOUT);
    upper.put(path("/a/c"), Entries.WHITEOUT);
    upper.put(path("/nothing"), Entries.WHITEOUT);
    upper.put(path("/new/gone"), Entries.WHITEOUT);

    LayerMerge.overlay(lower, upper);

    assertThat(listing(lower)).containsOnlyKeys("", "/a", "/keep", "/new");
    assertThat(lower.entries()).isEqualTo(4);
  }

  @Test
  void opaqueDirectoriesHideAllThatIsBelowThem() {
    lower.put(path("/a/old/x"), file(1));
    upper.put(path("/a"), Entries.OPAQUE);
    upper.put(path("/a/new"), file(2));
    upper.put(path("/fresh"), Entries.OPAQUE);

    LayerMerge.overlay(lower, upper);

    assertThat(listing(lower)).containsOnlyKeys("", "/a", "/a/new", "/fresh");
    for (String directory : new String[] {"/a", "/fresh"}) {
      assertThat(lower.find(path(directory)).orElseThrow().xattrs().asMap())
          .containsOnlyKeys("user.kept");
    }
  }

  @Test
  void anOpaqueRootHidesEverything() {
    lower.put(path("/a"), file(1));
    upper.put(RepositoryPath.ROOT, Entries.OPAQUE);
    upper.put(path("/b"), file(1));

    LayerMerge.overlay(lower, upper);

    assertThat(listing(lower)).containsOnlyKeys("", "/b");
    assertThat(lower.find(RepositoryPath.ROOT).orElseThrow().xattrs().asMap())
        .containsOnlyKeys("user.kept");
  }

  @Test
  void directoriesJoinAndShowTheUpperAttributes() {
    CatalogEntry changed = CatalogEntry.directory(0700, 5, 6, 7);
    lower.put(path("/a/one"), file(1));
    upper.put(path("/a"), changed);
    upper.put(path("/a/two"), file(2));
    upper.put(RepositoryPath.ROOT, changed);

    LayerMerge.overlay(lower, upper);

    assertThat(lower.find(path("/a"))).contains(changed);
    assertThat(lower.find(RepositoryPath.ROOT)).contains(changed);
    assertThat(lower.find(path("/a/one"))).contains(file(1));
    assertThat(lower.find(path("/a/two"))).contains(file(2));
  }

  @Test
  void anythingElseReplaces() {
    lower.put(path("/lib"), symlink("usr/lib"));
    lower.put(path("/usr/lib/x"), file(1));
    lower.put(path("/dir/y"), file(1));
    upper.put(path("/lib/z"), file(2));
    upper.put(path("/dir"), file(3));

    LayerMerge.overlay(lower, upper);

    assertThat(listing(lower))
        .containsOnlyKeys("", "/lib", "/lib/z", "/usr", "/usr/lib", "/usr/lib/x", "/dir");
    assertThat(lower.find(path("/lib")).orElseThrow().isDirectory()).isTrue();
    assertThat(lower.find(path("/dir"))).contains(file(3));
  }

  @Test
  void aDeviceWithANumberIsNoWhiteout() {
    CatalogEntry device =
        Entries.entry(
            CatalogEntry.CHARACTER_DEVICE | 0666,
            CatalogEntry.deviceNumber(1, 3),
            null,
            Xattrs.NONE);
    upper.put(path("/dev/null"), device);

    LayerMerge.overlay(lower, upper);

    assertThat(lower.find(path("/dev/null"))).contains(device);
  }

  @Test
  void hardLinksOfALayerStayLinked() {
    upper.put(path("/a"), file(1));
    upper.link(path("/a"), path("/b"));

    LayerMerge.overlay(lower, upper);
    lower.link(path("/b"), path("/c"));

    Node root = lower.root();
    assertThat(child(root, "a").inode()).isSameAs(child(root, "b").inode());
    assertThat(child(root, "c").inode()).isSameAs(child(root, "b").inode());
  }

  private static Node child(Node directory, String name) {
    return Objects.requireNonNull(directory.child(name.getBytes(StandardCharsets.UTF_8)));
  }

  @Test
  void refusesAResultOverTheBound() {
    FileTree small = new FileTree(3, Entries.DIRECTORY);
    upper.put(path("/a/b/c"), file(1));

    assertThatThrownBy(() -> LayerMerge.overlay(small, upper))
        .isInstanceOf(CvmfsException.Rejected.class)
        .hasMessageContaining("more than 3 entries");
  }

  /** Overlay rules once more, on plain maps from paths to entries, and compared. */
  @ParameterizedTest
  @ValueSource(longs = {11, 12, 13, 14, 15, 16, 17, 18})
  void agreesWithAPlainRendering(long seed) {
    Map<String, String> expected = new TreeMap<>();
    FileTree merged = tree();
    for (int layer = 0; layer < 4; layer++) {
      FileTree next = Entries.random(seed * 10 + layer, 400);
      addMarks(next, seed + layer);
      expected = overlayPlainly(expected, next);

      LayerMerge.overlay(merged, next);

      assertThat(listing(merged)).isEqualTo(expected);
      assertThat(merged.entries()).isEqualTo(expected.size());
    }
  }

  private static void addMarks(FileTree tree, long seed) {
    Random random = new Random(seed);
    Map<RepositoryPath, CatalogEntry> marks = new HashMap<>();
    tree.forEach(
        (path, entry) -> {
          if (!path.isRoot() && random.nextInt(10) == 0) {
            marks.put(path, entry.isDirectory() ? Entries.OPAQUE : Entries.WHITEOUT);
          }
        });
    marks.forEach(tree::put);
  }

  private static Map<String, String> overlayPlainly(Map<String, String> lower, FileTree upper) {
    Map<String, String> result = new TreeMap<>(lower);
    Map<String, String> shown = listing(upper);
    upper.forEach(
        (path, entry) -> {
          String key = new String(path.bytes(), StandardCharsets.ISO_8859_1);
          boolean whiteout = entry.equals(Entries.WHITEOUT);
          boolean opaque = entry.equals(Entries.OPAQUE);
          if (whiteout || opaque || !entry.isDirectory()) {
            result.keySet().removeIf(each -> each.startsWith(key + "/"));
          }
          if (whiteout) {
            result.remove(key);
          } else {
            String text = String.valueOf(shown.get(key));
            result.put(key, opaque ? text.replace(LayerMerge.OPAQUE_ATTRIBUTE + "1", "") : text);
          }
        });
    return result;
  }
}
