package io.lamina.repository;

import static io.lamina.repository.TestRepository.RECORDER;
import static io.lamina.repository.TestRepository.TIME;
import static io.lamina.repository.TestRepository.create;
import static io.lamina.repository.TestRepository.file;
import static io.lamina.repository.TestRepository.flat;
import static io.lamina.repository.TestRepository.hex;
import static io.lamina.repository.TestRepository.layer;
import static io.lamina.repository.TestRepository.link;
import static io.lamina.repository.TestRepository.writer;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.lamina.cvmfs.RepositoryPath;
import io.lamina.cvmfs.catalog.CatalogChange;
import io.lamina.cvmfs.catalog.Graft;
import io.lamina.storage.ObjectStore;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class RepositoryWriterTest {
  private final ObjectStore store = create();

  @Test
  void makesCatalogsOfTheFoldersThatGrow() {
    try (RepositoryWriter writer = writer(store)) {
      Committed committed =
          writer.commit(
              List.of(
                  layer(store, "x"),
                  flat(store, "image"),
                  file(store, "/.metadata/r.example/team/a:1/manifest.json", "{}"),
                  link("/r.example/team/a:1", "../../.flat")),
              TIME,
              RECORDER);

      assertThat(committed.effective())
          .filteredOn(CatalogChange.Split.class::isInstance)
          .extracting(change -> change.path().toString())
          .containsExactlyInAnyOrder(
              "/.layers",
              "/.layers/" + hex("x").substring(0, 2),
              "/.flat",
              "/.flat/" + hex("image").substring(0, 2),
              "/.metadata",
              "/.metadata/r.example",
              "/r.example");
    }
    RepositoryChecker.check(store);
  }

  @Test
  void splitsALargeFolderFurtherDown() {
    List<CatalogChange> changes = new ArrayList<>();
    for (int i = 0; i < CatalogTree.MAX_ROWS_BEFORE_SPLIT + 50; i++) {
      changes.add(link("/r.example/team/image" + i + ":1", "../../.flat"));
    }
    try (RepositoryWriter writer = writer(store)) {
      writer.commit(changes, TIME, RECORDER);
      assertThat(writer.view().isCatalog(RepositoryPath.of("/r.example/team"))).isTrue();
      writer.commit(List.of(link("/r.example/team/more:1", "../../.flat")), TIME, RECORDER);
    }

    assertThat(RepositoryChecker.check(store))
        .containsKeys("/r.example/team/image0:1", "/r.example/team/more:1");
  }

  @Test
  void replacesAGraftAndRemovesTreesWithTheirCatalogs() {
    CatalogChange.Attach x = layer(store, "x");
    CatalogChange.Attach other = layer(store, "other");
    try (RepositoryWriter writer = writer(store)) {
      writer.commit(List.of(x, layer(store, "y")), TIME, RECORDER);
      Graft graft = x.graft();
      CatalogChange.Attach again =
          new CatalogChange.Attach(
              new Graft(
                  graft.path(),
                  graft.catalog(),
                  graft.catalogSizeBytes(),
                  graft.root(),
                  graft.total()));
      assertThat(writer.commit(List.of(again), TIME, RECORDER).isPublished()).isFalse();
      writer.commit(
          List.of(new CatalogChange.Remove(RepositoryPath.of("/.layers")), other), TIME, RECORDER);
    }

    Map<String, String> tree = RepositoryChecker.check(store);
    assertThat(tree).containsKey(other.path().toString()).doesNotContainKey(x.path().toString());
  }

  @Test
  void changesWhatTheSameTransactionMade() {
    CatalogChange.Attach x = layer(store, "x");
    try (RepositoryWriter writer = writer(store)) {
      writer.commit(
          List.of(
              x,
              link("/r.example/a:1", "one"),
              link("/r.example/a:1", "two"),
              new CatalogChange.Remove(RepositoryPath.of("/.layers")),
              new CatalogChange.Split(RepositoryPath.of("/r.example/deep/er")),
              link("/r.example/deep/er/link", "three"),
              new CatalogChange.Remove(RepositoryPath.of("/r.example/deep"))),
          TIME,
          RECORDER);
    }

    assertThat(RepositoryChecker.check(store))
        .containsEntry("/r.example/a:1", "link two")
        .doesNotContainKeys("/.layers", "/r.example/deep");
  }

  @Test
  void refusesAChangeBelowALink() {
    try (RepositoryWriter writer = writer(store)) {
      writer.commit(List.of(link("/r.example/a", "elsewhere")), TIME, RECORDER);

      assertThatThrownBy(() -> writer.commit(List.of(link("/r.example/a/b", "x")), TIME, RECORDER))
          .isInstanceOf(RepositoryException.Rejected.class)
          .hasMessageContaining("/r.example/a");
      assertThat(writer.head().revision()).isEqualTo(1);
      assertThat(writer.commit(List.of(link("/r.example/c", "x")), TIME, RECORDER).revision())
          .isEqualTo(2);
    }
    RepositoryChecker.check(store);
  }

  @Test
  void givesTheSameRootForTheSameTransactions() {
    ObjectStore other = create();
    List<io.lamina.cvmfs.ContentHash> roots = new ArrayList<>();
    for (ObjectStore each : List.of(store, other)) {
      try (RepositoryWriter writer = writer(each)) {
        writer.commit(List.of(layer(each, "x"), link("/r/a:1", "t")), TIME, RECORDER);
        roots.add(writer.commit(List.of(layer(each, "y")), TIME + 1, RECORDER).root());
      }
    }

    assertThat(roots.get(0)).isEqualTo(roots.get(1));
    assertThat(roots.get(0)).hasToString(GOLDEN_ROOT);
  }

  /**
   * Changes only with the format, the compressor or the SQLite library: say so in the change log.
   */
  private static final String GOLDEN_ROOT = "f7f9bfa6d4d8c0d1941520cae19c45b5f330130f";

  @Test
  void replaysItsEffectiveChangesToTheSameRoot() {
    ObjectStore copy = create();
    try (RepositoryWriter writer = writer(store);
        RepositoryWriter replay = writer(copy)) {
      for (int i = 0; i < 5; i++) {
        Committed original =
            writer.commit(
                List.of(
                    layer(store, "layer" + i),
                    layer(store, "layer" + (i + 1)),
                    link("/r.example/a:" + i, "../x")),
                TIME + i,
                RECORDER);
        layer(copy, "layer" + i);
        layer(copy, "layer" + (i + 1));
        Committed again =
            replay.commit(original.effective(), original.timestampSeconds(), RECORDER);

        assertThat(again.root()).isEqualTo(original.root());
        assertThat(again.effective()).isEqualTo(original.effective());
      }
    }
  }

  @Test
  void refusesAManifestThatStrangersSigned() {
    io.lamina.cvmfs.signing.RepositoryKeys strangers =
        io.lamina.cvmfs.signing.RepositoryKeys.generate(
            TestRepository.NAME, new java.security.SecureRandom(), TestRepository.CLOCK);
    ObjectStore.Versioned manifest =
        store.readMutable(RepositoryFiles.MANIFEST, 100_000).orElseThrow();
    store.swap(
        RepositoryFiles.MANIFEST,
        java.util.Optional.of(manifest.version()),
        strangers
            .sign(io.lamina.cvmfs.signing.SignedManifest.parse(manifest.bytes()).manifest())
            .bytes());
    try (RepositoryWriter writer = writer(store)) {
      assertThatThrownBy(() -> writer.commit(List.of(link("/a/b", "x")), TIME, RECORDER))
          .isInstanceOf(RepositoryException.Corrupt.class)
          .hasMessageContaining("cannot be trusted");
    }
  }

  @ParameterizedTest(name = "seed {0}")
  @ValueSource(ints = {1, 2, 3, 4})
  void keepsTheRepositoryWholeUnderRandomChanges(int seed) {
    Random random = new Random(seed);
    try (RepositoryWriter writer = writer(store)) {
      for (int transaction = 0; transaction < 6; transaction++) {
        List<CatalogChange> changes = new ArrayList<>();
        for (int i = random.nextInt(6); i >= 0; i--) {
          changes.add(randomChange(random));
        }
        try {
          writer.commit(changes, TIME + transaction, RECORDER);
        } catch (RepositoryException.Rejected e) {
          assertThat(e).hasMessageContaining("not a directory");
        }
        RepositoryChecker.check(store);
      }
    }
  }

  private CatalogChange randomChange(Random random) {
    String path = "/r" + random.nextInt(2) + "/d" + random.nextInt(3) + "/e" + random.nextInt(4);
    return switch (random.nextInt(7)) {
      case 0 -> layer(store, "layer" + random.nextInt(12));
      case 1 -> flat(store, "image" + random.nextInt(6));
      case 2 -> file(store, path + "/file", "content" + random.nextInt(3));
      case 3 -> link(path, "target" + random.nextInt(3));
      case 4 -> new CatalogChange.Split(RepositoryPath.of(path));
      case 5 -> new CatalogChange.Remove(RepositoryPath.of(path.substring(0, 6)));
      default -> new CatalogChange.Remove(RepositoryLayout.layer(hex("layer1")).parent().parent());
    };
  }
}
