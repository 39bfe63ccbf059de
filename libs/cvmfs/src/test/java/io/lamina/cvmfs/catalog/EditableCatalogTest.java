package io.lamina.cvmfs.catalog;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.lamina.cvmfs.ContentHash;
import io.lamina.cvmfs.CvmfsException;
import io.lamina.cvmfs.HashAlgorithm;
import io.lamina.cvmfs.RepositoryPath;
import io.lamina.cvmfs.compression.CompressedObject;
import java.nio.charset.StandardCharsets;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Random;
import java.util.function.Function;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class EditableCatalogTest {
  private static final long LATER = TwoCatalogs.TIME + 100;
  private static final RepositoryPath LAYERS = RepositoryPath.of("/layers");
  private static final CatalogEntry DIRECTORY = CatalogEntry.directory(0755, 0, 0, LATER);

  private final Map<ContentHash, byte[]> store = new HashMap<>();
  private final Function<NestedCatalog, Counters> totals =
      nested -> {
        try (CatalogReader reader =
            CatalogReader.open(Objects.requireNonNull(store.get(nested.hash())))) {
          return reader.total();
        }
      };

  private ContentHash put(byte[] database) {
    ContentHash hash = CompressedObject.ofStored(database, HashAlgorithm.SHA1).hash();
    store.put(hash, database);
    return hash;
  }

  private EditableCatalog openRoot() {
    put(TwoCatalogs.child());
    byte[] root = TwoCatalogs.root();
    return EditableCatalog.open(root, put(root));
  }

  private Counters audit(SealedCatalog sealed) throws SQLException {
    return new CatalogAudit(hash -> Objects.requireNonNull(store.get(hash)))
        .audit(sealed.database(), sealed.mount(), null);
  }

  /** A layer of one directory with one file, as in the example of the format's notes. */
  private Graft graft(String path) {
    RepositoryPath mount = RepositoryPath.of(path);
    CatalogWriter writer =
        new CatalogWriter(CatalogProperties.firstNested(mount, 1), TwoCatalogs.directory(3));
    writer.add(
        mount.resolve(CatalogMarker.NAME),
        CatalogMarker.in(TwoCatalogs.directory(3), HashAlgorithm.SHA1));
    writer.add(mount.resolve("d"), TwoCatalogs.directory(2));
    writer.add(mount.resolve("d").resolve("f"), TwoCatalogs.file(18, TwoCatalogs.HELLO));
    byte[] database = writer.finish();
    return new Graft(
        mount, put(database), database.length, TwoCatalogs.directory(3), writer.self());
  }

  @Test
  void graftsASecondLayer() throws SQLException {
    try (EditableCatalog catalog = openRoot()) {
      assertThat(catalog.attach(graft("/layers/cd"), totals)).isTrue();
      SealedCatalog sealed = catalog.seal(LATER);

      audit(sealed);
      try (CatalogReader reader = CatalogReader.open(sealed.database())) {
        assertThat(reader.lookup(LAYERS).orElseThrow().linkCount()).isEqualTo(4);
        assertThat(reader.self()).isEqualTo(new Counters(0, 0, 0, 4, 2, 0, 0, 0, 0, 0, 0, 0));
        assertThat(reader.subtree())
            .isEqualTo(new Counters(5, 1, 0, 4, 0, 1, 2, 4220, 4196, 1, 0, 0));
        assertThat(reader.revision()).isEqualTo(2).isEqualTo(sealed.revision());
        assertThat(reader.lastModifiedSeconds()).isEqualTo(LATER);
        assertThat(reader.previousRevision()).contains(put(TwoCatalogs.root()));
      }
      assertThat(sealed.change()).isEqualTo(new Counters(2, 0, 0, 3, 1, 0, 0, 18, 0, 0, 0, 0));
    }
  }

  @Test
  void graftingWhatIsThereChangesNothing() {
    try (EditableCatalog catalog = openRoot()) {
      assertThat(catalog.attach(TwoCatalogs.childGraft(), totals)).isFalse();
      assertThat(catalog.makeDirectories(LAYERS, DIRECTORY)).isFalse();
      assertThat(catalog.remove(RepositoryPath.of("/nothing"), totals)).isFalse();
      assertThat(catalog.put(LAYERS, TwoCatalogs.directory(9), totals)).isFalse();
      assertThat(catalog.isChanged()).isFalse();
    }
  }

  @Test
  void replacesAGraftAtTheSamePlace() throws SQLException {
    try (EditableCatalog catalog = openRoot()) {
      assertThat(catalog.attach(graft("/layers/ab"), totals)).isTrue();
      SealedCatalog sealed = catalog.seal(LATER);

      audit(sealed);
      assertThat(sealed.total()).isEqualTo(new Counters(2, 0, 0, 5, 1, 0, 0, 18, 0, 0, 0, 0));
    }
  }

  @Test
  void removesANestedCatalogWithAllThatItCounted() throws SQLException {
    try (EditableCatalog catalog = openRoot()) {
      assertThat(catalog.remove(TwoCatalogs.MOUNT, totals)).isTrue();
      SealedCatalog sealed = catalog.seal(LATER);

      audit(sealed);
      assertThat(sealed.total()).isEqualTo(new Counters(0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 0));
      assertThat(catalog.find(LAYERS).orElseThrow().linkCount()).isEqualTo(2);
    }
  }

  @Test
  void aGraftReplacesAPlainDirectoryWithItsContents() throws SQLException {
    RepositoryPath at = RepositoryPath.of("/layers/x");
    try (EditableCatalog catalog = openRoot()) {
      catalog.makeDirectories(at.resolve("y"), DIRECTORY);
      catalog.attach(graft("/layers/x/z"), totals);
      catalog.put(at.resolve("y").resolve("f"), TwoCatalogs.file(3, TwoCatalogs.HELLO), totals);

      assertThat(catalog.attach(graft("/layers/x"), totals)).isTrue();
      SealedCatalog sealed = catalog.seal(LATER);

      audit(sealed);
      assertThat(catalog.nestedAbove(at).orElseThrow().path()).isEqualTo(at);
      assertThat(sealed.total().nested()).isEqualTo(2);
    }
  }

  @Test
  void theDirectoryAboveLearnsTheLinkCountOfAChangedCatalogsRoot() throws SQLException {
    try (EditableCatalog root = openRoot();
        EditableCatalog child =
            EditableCatalog.open(TwoCatalogs.child(), put(TwoCatalogs.child()))) {
      child.attach(graft("/layers/ab/new"), totals);
      SealedCatalog sealedChild = child.seal(LATER);
      root.adopt(sealedChild, put(sealedChild.database()));
      SealedCatalog sealed = root.seal(LATER);

      assertThat(sealedChild.root().linkCount()).isEqualTo(4);
      assertThat(root.find(TwoCatalogs.MOUNT).orElseThrow().linkCount()).isEqualTo(4);
      audit(sealed);
    }
  }

  @Test
  void splitsADirectoryOffWithAllBelowIt() throws SQLException {
    try (EditableCatalog root = openRoot()) {
      root.put(
          LAYERS.resolve("chunked"),
          TwoCatalogs.entry(
              CatalogEntry.REGULAR | 0600, 4196, null, "", Xattrs.NONE, TwoCatalogs.CHUNKS),
          totals);
      try (EditableCatalog layers = root.split(LAYERS, HashAlgorithm.SHA1, totals)) {
        assertThatThrownBy(() -> root.seal(LATER))
            .isInstanceOf(IllegalStateException.class)
            .hasMessageContaining("/layers");
        layers.attach(graft("/layers/cd"), totals);
        SealedCatalog sealedLayers = layers.seal(LATER);
        root.adopt(sealedLayers, put(sealedLayers.database()));
        SealedCatalog sealed = root.seal(LATER);

        Counters total = audit(sealed);
        assertThat(total).isEqualTo(sealed.total());
        assertThat(sealedLayers.revision()).isEqualTo(1);
        assertThat(root.nestedAbove(LAYERS.resolve("ab")).orElseThrow().path()).isEqualTo(LAYERS);
        assertThat(root.find(LAYERS).orElseThrow()).isEqualTo(sealedLayers.root());
      }
    }
  }

  @Test
  void aSplitThatIsRemovedAgainLeavesNothingBehind() throws SQLException {
    try (EditableCatalog root = openRoot()) {
      root.split(LAYERS, HashAlgorithm.SHA1, totals).close();
      root.remove(LAYERS, totals);

      SealedCatalog sealed = root.seal(LATER);

      audit(sealed);
      assertThat(sealed.total().dir()).isEqualTo(1);
    }
  }

  @Test
  void beginsARepository() throws SQLException {
    try (EditableCatalog root = EditableCatalog.createRoot(DIRECTORY)) {
      root.makeDirectories(RepositoryPath.of("/.layers"), DIRECTORY);
      SealedCatalog sealed = root.seal(LATER);

      audit(sealed);
      assertThat(sealed.revision()).isZero();
      assertThat(sealed.change()).isEqualTo(sealed.total());
    }
  }

  @Test
  void replacesFilesInPlaceAndKeepsHardLinkGroupsRight() throws SQLException {
    CatalogWriter writer =
        new CatalogWriter(CatalogProperties.firstRoot(TwoCatalogs.TIME), TwoCatalogs.directory(2));
    for (String name : List.of("a", "b", "c")) {
      writer.add(
          RepositoryPath.of("/" + name), TwoCatalogs.file(6, TwoCatalogs.HELLO).withLinks(1, 3));
    }
    byte[] database = writer.finish();
    CatalogEntry other = TwoCatalogs.file(7, TwoCatalogs.HELLO);

    try (EditableCatalog catalog = EditableCatalog.open(database, put(database))) {
      assertThat(catalog.put(RepositoryPath.of("/b"), other, totals)).isTrue();
      assertThat(catalog.find(RepositoryPath.of("/a")).orElseThrow().linkCount()).isEqualTo(2);
      assertThat(catalog.remove(RepositoryPath.of("/c"), totals)).isTrue();
      SealedCatalog sealed = catalog.seal(LATER);

      audit(sealed);
      assertThat(catalog.find(RepositoryPath.of("/b"))).contains(other);
      assertThat(catalog.find(RepositoryPath.of("/a")).orElseThrow().linkCount()).isEqualTo(1);
      assertThat(sealed.total().fileSize()).isEqualTo(13);
    }
  }

  @Test
  void refusesWhatDoesNotFitTheTree() {
    try (EditableCatalog catalog = openRoot()) {
      CatalogEntry file = TwoCatalogs.file(6, TwoCatalogs.HELLO);
      catalog.put(RepositoryPath.of("/f"), file, totals);

      assertThatThrownBy(() -> catalog.put(RepositoryPath.of("/f/g"), file, totals))
          .isInstanceOf(CvmfsException.Rejected.class)
          .hasMessageContaining("/f is not a directory");
      assertThatThrownBy(() -> catalog.makeDirectories(RepositoryPath.of("/f/g/h"), DIRECTORY))
          .isInstanceOf(CvmfsException.Rejected.class)
          .hasMessageContaining("/f is not a directory");
      assertThatThrownBy(() -> catalog.put(RepositoryPath.of("/no/g"), file, totals))
          .isInstanceOf(CvmfsException.Rejected.class)
          .hasMessageContaining("/no does not exist");
      assertThatThrownBy(() -> catalog.put(TwoCatalogs.MOUNT.resolve("x"), file, totals))
          .isInstanceOf(CvmfsException.Rejected.class)
          .hasMessageContaining("/layers/ab is another catalog's directory");
      assertThatThrownBy(() -> catalog.put(TwoCatalogs.MOUNT, DIRECTORY, totals))
          .isInstanceOf(CvmfsException.Rejected.class)
          .hasMessageContaining("/layers/ab is a nested catalog");
      assertThatThrownBy(() -> catalog.remove(RepositoryPath.ROOT, totals))
          .isInstanceOf(CvmfsException.Rejected.class);
      assertThatThrownBy(() -> catalog.put(RepositoryPath.ROOT, file, totals))
          .isInstanceOf(CvmfsException.Rejected.class);
      assertThatThrownBy(() -> catalog.split(TwoCatalogs.MOUNT, HashAlgorithm.SHA1, totals))
          .isInstanceOf(CvmfsException.Rejected.class);
    }
  }

  @Test
  void writesAfreshOnceAQuarterOfTheRowsIsGone() throws SQLException {
    CatalogWriter writer =
        new CatalogWriter(CatalogProperties.firstRoot(TwoCatalogs.TIME), TwoCatalogs.directory(2));
    for (int i = 0; i < 400; i++) {
      writer.add(RepositoryPath.of("/f" + i), TwoCatalogs.file(6, TwoCatalogs.HELLO));
    }
    byte[] database = writer.finish();

    try (EditableCatalog few = EditableCatalog.open(database, put(database));
        EditableCatalog many = EditableCatalog.open(database, put(database))) {
      for (int i = 0; i < 90; i++) {
        few.remove(RepositoryPath.of("/f" + i), totals);
      }
      for (int i = 0; i < 110; i++) {
        many.remove(RepositoryPath.of("/f" + i), totals);
      }
      byte[] fewLess = few.seal(LATER).database();
      SealedCatalog manyLess = many.seal(LATER);

      audit(manyLess);
      assertThat(maxRowId(fewLess)).isEqualTo("401");
      assertThat(maxRowId(manyLess.database())).isEqualTo("291");
      assertThat(manyLess.database().length).isLessThan(database.length);
    }
  }

  private static String maxRowId(byte[] database) throws SQLException {
    try (PlainSqlite sqlite = new PlainSqlite(database)) {
      return sqlite.rows("SELECT max(rowid) FROM catalog").getFirst();
    }
  }

  @Test
  void sameChangesGiveSameBytes() {
    List<byte[]> results = new ArrayList<>();
    for (int round = 0; round < 2; round++) {
      try (EditableCatalog catalog = openRoot()) {
        for (int i = 0; i < 50; i++) {
          catalog.attach(graft("/layers/l" + i), totals);
        }
        catalog.put(
            RepositoryPath.of("/link"),
            CatalogEntry.symlink("layers".getBytes(StandardCharsets.US_ASCII), LATER),
            totals);
        catalog.remove(RepositoryPath.of("/layers/l7"), totals);
        results.add(catalog.seal(LATER).database());
      }
    }

    assertThat(results.get(0)).isEqualTo(results.get(1));
    assertThat(put(results.get(0))).hasToString("7c9f409f773c0959b78781238f37064c424340e3");
  }

  @ParameterizedTest
  @ValueSource(longs = {1, 2, 3, 4, 5, 6})
  void staysConsistentUnderRandomChanges(long seed) throws SQLException {
    Random random = new Random(seed);
    ContentHash rootHash;
    byte[] rootBytes;
    try (EditableCatalog root = EditableCatalog.createRoot(DIRECTORY)) {
      rootBytes = root.seal(LATER).database();
      rootHash = put(rootBytes);
    }
    for (int transaction = 0; transaction < 12; transaction++) {
      try (EditableCatalog root = EditableCatalog.open(rootBytes, rootHash)) {
        for (int step = 0; step < 15; step++) {
          randomChange(random, root);
        }
        SealedCatalog sealed = root.seal(LATER + transaction);
        assertThat(audit(sealed)).isEqualTo(sealed.total());
        rootBytes = sealed.database();
        rootHash = put(rootBytes);
      }
    }
  }

  private void randomChange(Random random, EditableCatalog root) {
    RepositoryPath path = RepositoryPath.ROOT;
    for (int depth = 0; depth <= random.nextInt(4); depth++) {
      path = path.resolve(List.of("a", "b", "c").get(random.nextInt(3)));
    }
    try {
      switch (random.nextInt(7)) {
        case 0 -> root.makeDirectories(path, DIRECTORY);
        case 1 -> root.remove(path, totals);
        case 2, 3 -> root.attach(graft(path.toString()), totals);
        case 4 ->
            root.put(
                path,
                TwoCatalogs.entry(
                    CatalogEntry.REGULAR | 0600, 4196, null, "", Xattrs.NONE, TwoCatalogs.CHUNKS),
                totals);
        case 5 -> {
          try (EditableCatalog split = root.split(path, HashAlgorithm.SHA1, totals)) {
            SealedCatalog sealed = split.seal(LATER);
            root.adopt(sealed, put(sealed.database()));
          }
        }
        default ->
            root.put(
                path,
                CatalogEntry.directory(random.nextInt(01000), 1, 2, random.nextInt(9)),
                totals);
      }
    } catch (CvmfsException.Rejected e) {
      // A change that does not fit the tree as it happens to be must leave it as it was.
      assertThat(e).hasMessageContaining("/");
    }
  }
}
