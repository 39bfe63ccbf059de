package io.lamina.cvmfs.tree;

import static io.lamina.cvmfs.tree.Entries.file;
import static io.lamina.cvmfs.tree.Entries.path;
import static io.lamina.cvmfs.tree.Entries.symlink;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.lamina.cvmfs.CvmfsException;
import io.lamina.cvmfs.RepositoryPath;
import io.lamina.cvmfs.catalog.CatalogEntry;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class FileTreeTest {
  private final FileTree tree = new FileTree(10, Entries.DIRECTORY);

  @Test
  void givesBackEveryKindOfEntry() {
    List<CatalogEntry> entries =
        List.of(
            file(3),
            symlink("../x"),
            Entries.chunked(5),
            Entries.WHITEOUT,
            Entries.OPAQUE,
            Entries.DIRECTORY);
    for (int i = 0; i < entries.size(); i++) {
      tree.put(path("/e" + i), entries.get(i));
    }

    for (int i = 0; i < entries.size(); i++) {
      assertThat(tree.find(path("/e" + i))).contains(entries.get(i));
    }
    assertThat(tree.entries()).isEqualTo(7);
  }

  @Test
  void makesMissingParents() {
    tree.put(path("/a/b/c"), file(1));

    assertThat(tree.find(path("/a/b"))).contains(Entries.DIRECTORY);
    assertThat(tree.entries()).isEqualTo(4);
  }

  @Test
  void aLaterEntryReplacesWithAllBelow() {
    tree.put(path("/a/b/c"), file(1));
    tree.put(path("/a"), file(2));

    assertThat(tree.find(path("/a/b/c"))).isEmpty();
    assertThat(tree.find(path("/a"))).contains(file(2));
    assertThat(tree.entries()).isEqualTo(2);

    tree.put(path("/a/x"), file(3));
    assertThat(tree.find(path("/a"))).contains(Entries.DIRECTORY);
    assertThat(tree.entries()).isEqualTo(3);
  }

  @Test
  void aDirectoryThatIsPutAgainKeepsItsEntries() {
    tree.put(path("/a/b"), file(1));
    tree.put(path("/a"), Entries.OPAQUE);

    assertThat(tree.find(path("/a"))).contains(Entries.OPAQUE);
    assertThat(tree.find(path("/a/b"))).contains(file(1));
  }

  @Test
  void replacingOneHardLinkLeavesTheOthers() {
    tree.put(path("/a"), file(1));
    tree.link(path("/a"), path("/d/b"));
    tree.link(path("/a"), path("/a"));
    tree.put(path("/a"), file(2));

    assertThat(tree.find(path("/d/b"))).contains(file(1));
    assertThat(tree.find(path("/a"))).contains(file(2));
  }

  @Test
  void refusesHardLinksToNothingAndToDirectories() {
    tree.put(path("/d"), Entries.DIRECTORY);

    assertThatThrownBy(() -> tree.link(path("/no"), path("/x")))
        .isInstanceOf(CvmfsException.NotFound.class)
        .hasMessageContaining("/no");
    assertThatThrownBy(() -> tree.link(path("/d"), path("/x")))
        .isInstanceOf(CvmfsException.Rejected.class)
        .hasMessageContaining("/d");
  }

  @Test
  void removesBranches() {
    tree.put(path("/a/b/c"), file(1));
    tree.put(path("/a/d"), file(1));

    assertThat(tree.remove(path("/a/b"))).isTrue();
    assertThat(tree.remove(path("/a/b"))).isFalse();
    assertThat(tree.remove(path("/x/y"))).isFalse();
    assertThat(tree.entries()).isEqualTo(3);
    assertThat(tree.removeChildren(path("/a"))).isTrue();
    assertThat(tree.removeChildren(path("/a"))).isFalse();
    assertThat(tree.entries()).isEqualTo(2);
    assertThat(tree.remove(RepositoryPath.ROOT)).isTrue();
    assertThat(tree.entries()).isEqualTo(1);
  }

  @Test
  void refusesMoreEntriesThanItsBound() {
    for (int i = 0; i < 9; i++) {
      tree.put(path("/" + i), file(i));
    }

    assertThatThrownBy(() -> tree.put(path("/ten"), file(1)))
        .isInstanceOf(CvmfsException.Rejected.class)
        .hasMessageContaining("more than 10 entries");
    tree.put(path("/3"), file(77));
    tree.remove(path("/4"));
    tree.put(path("/ten"), file(1));
    assertThat(tree.entries()).isEqualTo(10);
  }

  @Test
  void theRootStaysADirectory() {
    assertThatThrownBy(() -> tree.put(RepositoryPath.ROOT, file(1)))
        .isInstanceOf(CvmfsException.Rejected.class);

    tree.put(RepositoryPath.ROOT, Entries.OPAQUE);
    assertThat(tree.find(RepositoryPath.ROOT)).contains(Entries.OPAQUE);
  }

  @Test
  void listsInUnsignedByteOrder() {
    RepositoryPath high = RepositoryPath.ROOT.resolve(new byte[] {(byte) 0xff});
    for (String name : List.of("/b", "/a", "/ä", "/a/z", "/a/b", "/a-")) {
      tree.put(path(name), name.equals("/a") ? Entries.DIRECTORY : file(1));
    }
    tree.put(high, file(1));

    List<RepositoryPath> order = new ArrayList<>();
    tree.forEach((path, entry) -> order.add(path));

    assertThat(order)
        .containsExactly(
            RepositoryPath.ROOT,
            path("/a"),
            path("/a/b"),
            path("/a/z"),
            path("/a-"),
            path("/b"),
            path("/ä"),
            high);
  }

  @Test
  void holdsTheDeepestPathThatThereCanBe() {
    FileTree deep = new FileTree(3000, Entries.DIRECTORY);
    RepositoryPath path = RepositoryPath.of("/d".repeat(500));
    deep.put(path, file(1));

    FileTree merged = new FileTree(3000, Entries.DIRECTORY);
    LayerMerge.overlay(merged, deep);

    assertThat(merged.entries()).isEqualTo(501);
    assertThat(merged.find(path)).contains(file(1));
    assertThat(Entries.listing(merged)).hasSize(501);
    assertThat(merged.remove(path("/d"))).isTrue();
    assertThatThrownBy(() -> merged.put(path.resolve("e"), file(1)))
        .isInstanceOf(CvmfsException.Rejected.class)
        .hasMessageContaining("more than 500 levels");
  }

  @ParameterizedTest
  @ValueSource(longs = {1, 2, 3})
  void countsWhatItHolds(long seed) {
    FileTree random = Entries.random(seed, 3000);

    assertThat(Entries.listing(random)).hasSize(random.entries());
  }
}
