package io.lamina.cvmfs.tree;

import static io.lamina.cvmfs.tree.Entries.file;
import static io.lamina.cvmfs.tree.Entries.listing;
import static io.lamina.cvmfs.tree.Entries.path;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.lamina.cvmfs.ContentHash;
import io.lamina.cvmfs.CvmfsException;
import io.lamina.cvmfs.HashAlgorithm;
import io.lamina.cvmfs.ObjectKind;
import io.lamina.cvmfs.RepositoryPath;
import io.lamina.cvmfs.catalog.CatalogAudit;
import io.lamina.cvmfs.catalog.CatalogEntry;
import io.lamina.cvmfs.catalog.CatalogReader;
import io.lamina.cvmfs.catalog.CatalogRow;
import io.lamina.cvmfs.catalog.Counters;
import io.lamina.cvmfs.catalog.Graft;
import io.lamina.cvmfs.catalog.Rewritten;
import io.lamina.cvmfs.compression.CompressedObject;
import io.lamina.cvmfs.compression.Compression;
import io.lamina.cvmfs.compression.Compression.Engine;
import io.lamina.cvmfs.compression.Decompression;
import io.lamina.cvmfs.compression.ObjectCompressor;
import java.nio.charset.StandardCharsets;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class CatalogTreeTest {
  private static final RepositoryPath MOUNT = path("/.layers/ab/abcd/layerfs");
  private static final int MAX_DATABASE_BYTES = 64 << 20;

  private final ObjectCompressor compressor = new Compression(Engine.JDK, 6).newCompressor();
  private final Map<ContentHash, byte[]> stored = new HashMap<>();
  private final List<RepositoryPath> mounts = new ArrayList<>();
  private final List<String> leftOut = new ArrayList<>();

  @AfterEach
  void closeCompressor() {
    compressor.close();
  }

  private Graft write(FileTree tree, int maxEntries, int minEntries) {
    return new CatalogTreeWriter(
            new CatalogTreeSettings(maxEntries, minEntries, HashAlgorithm.SHA1, 5), compressor)
        .write(tree, MOUNT, this::store, path -> leftOut.add(path.toString()));
  }

  private void store(RepositoryPath mount, ObjectKind kind, CompressedObject catalog) {
    assertThat(kind).isEqualTo(ObjectKind.CATALOG);
    assertThat(catalog)
        .extracting(CompressedObject::hash)
        .isEqualTo(CompressedObject.ofStored(catalog.bytes(), HashAlgorithm.SHA1).hash());
    mounts.add(mount);
    stored.put(catalog.hash(), catalog.bytes());
  }

  private byte[] database(ContentHash hash) {
    return Decompression.inflate(
        Objects.requireNonNull(stored.get(hash), hash::toString), MAX_DATABASE_BYTES);
  }

  private FileTree read(Graft graft, int maxEntries) {
    FileTree tree = new FileTree(maxEntries, Entries.DIRECTORY);
    new CatalogTreeReader(this::database).load(tree, graft.path(), graft.catalog());
    return tree;
  }

  @ParameterizedTest
  @CsvSource({
    "1, 10, 1000, 100",
    "2, 3000, 5000, 100",
    "3, 3000, 1000, 100",
    "4, 3000, 100, 20",
    "5, 3000, 30, 2",
    "6, 8000, 2000, 200"
  })
  void givesBackTheTreeThatItWrote(long seed, int entries, int maxEntries, int minEntries)
      throws SQLException {
    FileTree tree = Entries.random(seed, entries);
    Map<String, String> expected = listing(tree);

    Graft graft = write(tree, maxEntries, minEntries);

    CatalogAudit audit = new CatalogAudit(this::database);
    Counters total = audit.audit(database(graft.catalog()), MOUNT, null);
    assertThat(total).isEqualTo(graft.total());
    assertThat(audit.catalogs()).isEqualTo(mounts.size());
    assertThat(audit.listing()).hasSize(expected.size());
    assertThat(graft.catalogSizeBytes()).isEqualTo(database(graft.catalog()).length);
    FileTree loaded = read(graft, 100_000);
    assertThat(listing(loaded)).isEqualTo(expected);
    assertThat(entriesMayExceed(entries, maxEntries, mounts.size())).isTrue();

    Map<ContentHash, byte[]> first = new HashMap<>(stored);
    stored.clear();
    assertThat(write(loaded, maxEntries, minEntries).catalog()).isEqualTo(graft.catalog());
    assertThat(stored.keySet()).isEqualTo(first.keySet());
  }

  /** A tree over the bound must have been split. */
  private static boolean entriesMayExceed(int entries, int maxEntries, int catalogs) {
    return entries <= maxEntries ? catalogs == 1 : catalogs > 1;
  }

  @Test
  void splitsOffTheHeaviestDirectoriesFirst() throws SQLException {
    FileTree tree = Entries.tree();
    fill(tree, "/light", 50);
    fill(tree, "/heavy", 300);
    fill(tree, "/middle/deep", 200);
    fill(tree, "/wide", 120);

    Graft graft = write(tree, 400, 100);

    assertThat(mounts).containsExactly(MOUNT.resolve("heavy"), MOUNT);
    new CatalogAudit(this::database).audit(database(graft.catalog()), MOUNT, null);
    assertThat(graft.total().nested()).isEqualTo(1);
    try (CatalogReader heavy =
        CatalogReader.open(database(nested(graft, MOUNT.resolve("heavy"))))) {
      assertThat(heavy.list(MOUNT.resolve("heavy")))
          .extracting(CatalogRow::displayName)
          .startsWith(".cvmfscatalog", ".cvmfsautocatalog", "f0");
    }
    try (CatalogReader top = CatalogReader.open(database(graft.catalog()))) {
      assertThat(top.list(MOUNT))
          .extracting(CatalogRow::displayName)
          .containsExactly(".cvmfscatalog", "heavy", "light", "middle", "wide");
      assertThat(top.lastModifiedSeconds()).isEqualTo(5);
    }
  }

  private ContentHash nested(Graft graft, RepositoryPath mountpoint) {
    try (CatalogReader top = CatalogReader.open(database(graft.catalog()))) {
      return top.nestedAt(mountpoint).orElseThrow().hash();
    }
  }

  private static void fill(FileTree tree, String directory, int files) {
    for (int i = 0; i < files; i++) {
      tree.put(path(directory + "/f" + i), file(i));
    }
  }

  @Test
  void keepsADirectoryThatIsTooLargeByItselfWhole() throws SQLException {
    FileTree tree = Entries.tree();
    fill(tree, "/a/huge", 2000);
    tree.put(path("/a/x"), file(1));

    Graft graft = write(tree, 500, 10);

    assertThat(mounts).containsExactly(MOUNT.resolve("a").resolve("huge"), MOUNT);
    new CatalogAudit(this::database).audit(database(graft.catalog()), MOUNT, null);
  }

  @Test
  void neverSplitsAtAPathOutsideUtf8() throws SQLException {
    FileTree tree = Entries.tree();
    RepositoryPath odd = RepositoryPath.ROOT.resolve(new byte[] {(byte) 0xc0, 'x'});
    for (int i = 0; i < 300; i++) {
      tree.put(odd.resolve("sub").resolve("f" + i), file(i));
      tree.put(path("/even/f" + i), file(i));
    }

    Graft graft = write(tree, 100, 10);

    assertThat(mounts).containsExactly(MOUNT.resolve("even"), MOUNT);
    new CatalogAudit(this::database).audit(database(graft.catalog()), MOUNT, null);
  }

  @Test
  void keepsHardLinksWithinADirectoryAndBreaksThoseAcross() {
    FileTree tree = Entries.tree();
    tree.put(path("/a/1"), file(1));
    tree.link(path("/a/1"), path("/a/2"));
    tree.link(path("/a/1"), path("/b/3"));
    tree.put(path("/b/4"), file(4));
    tree.link(path("/b/4"), path("/b/5"));
    tree.link(path("/b/4"), path("/b/6"));

    Graft graft = write(tree, 1000, 100);

    assertThat(links(graft, "/a/1")).isEqualTo("1x2");
    assertThat(links(graft, "/a/2")).isEqualTo("1x2");
    assertThat(links(graft, "/b/3")).isEqualTo("0x1");
    assertThat(links(graft, "/b/5")).isEqualTo("2x3");
    assertThat(graft.total().regular()).isEqualTo(7);
    FileTree loaded = read(graft, 100);
    Node a = child(loaded.root(), "a");
    assertThat(child(a, "1").inode()).isSameAs(child(a, "2").inode());
  }

  private String links(Graft graft, String path) {
    try (CatalogReader reader = CatalogReader.open(database(graft.catalog()))) {
      CatalogRow row = reader.lookup(path(MOUNT + path)).orElseThrow();
      return row.hardlinkGroup() + "x" + row.linkCount();
    }
  }

  private static Node child(Node directory, String name) {
    return Objects.requireNonNull(directory.child(name.getBytes(StandardCharsets.UTF_8)));
  }

  @Test
  void leavesReservedNamesOutAndSaysSo() throws SQLException {
    FileTree tree = Entries.tree();
    tree.put(path("/.cvmfscatalog"), file(1));
    tree.put(path("/a/.cvmfscatalog/below"), file(2));
    tree.put(path("/a/b/.cvmfsautocatalog"), Entries.WHITEOUT);
    tree.put(path("/a/.cvmfsdirtab"), file(3));
    tree.put(path("/.cvmfscatalog2"), file(4));

    Graft graft = write(tree, 1000, 100);

    assertThat(leftOut)
        .containsExactly("/.cvmfscatalog", "/a/.cvmfscatalog", "/a/b/.cvmfsautocatalog");
    new CatalogAudit(this::database).audit(database(graft.catalog()), MOUNT, null);
    assertThat(listing(read(graft, 100)))
        .containsOnlyKeys("", "/a", "/a/.cvmfsdirtab", "/a/b", "/.cvmfscatalog2");
    assertThat(ReservedNames.isReserved(path("/x/.cvmfscatalog/y"))).isTrue();
    assertThat(ReservedNames.isReserved(path("/x/.cvmfs/y"))).isFalse();
  }

  @Test
  void theGraftShowsTheDirectoryAsTheCatalogDoes() {
    FileTree tree = Entries.tree();
    tree.put(RepositoryPath.ROOT, Entries.OPAQUE);
    tree.put(path("/a/b"), file(1));
    tree.put(path("/c"), Entries.DIRECTORY);

    Graft graft = write(tree, 1000, 100);

    try (CatalogReader reader = CatalogReader.open(database(graft.catalog()))) {
      assertThat(reader.entry(reader.lookup(MOUNT).orElseThrow())).isEqualTo(graft.root());
    }
    assertThat(graft.root().linkCount()).isEqualTo(4);
    assertThat(graft.root().xattrs()).isEqualTo(Entries.OPAQUE.xattrs());
  }

  @Test
  void refusesPathsThatTheMountMakesTooLong() {
    FileTree tree = new FileTree(3000, Entries.DIRECTORY);
    tree.put(RepositoryPath.of(("/" + "d".repeat(254)).repeat(16)), file(1));

    assertThatThrownBy(() -> write(tree, 50_000, 100))
        .isInstanceOf(CvmfsException.Rejected.class)
        .hasMessageContaining("path longer than 4095 bytes");
  }

  @Test
  void writesTheDeepestTreeThatFits() throws SQLException {
    FileTree tree = new FileTree(3000, Entries.DIRECTORY);
    tree.put(RepositoryPath.of("/d".repeat(500)), file(1));

    Graft graft = write(tree, 100, 10);

    assertThat(new CatalogAudit(this::database).audit(database(graft.catalog()), MOUNT, null))
        .isEqualTo(graft.total());
    assertThat(read(graft, 3000).entries()).isEqualTo(501);
  }

  @Test
  void refusesToLoadMoreEntriesThanTheBound() {
    Graft graft = write(Entries.random(9, 500), 100, 10);

    assertThatThrownBy(() -> read(graft, 400))
        .isInstanceOf(CvmfsException.Rejected.class)
        .hasMessageContaining("more than 400 entries");
  }

  @Test
  void refusesACatalogMadeForAnotherPlace() {
    Graft graft = write(Entries.random(9, 50), 100, 10);
    FileTree tree = new FileTree(1000, Entries.DIRECTORY);
    CatalogTreeReader reader = new CatalogTreeReader(this::database);

    assertThatThrownBy(() -> reader.load(tree, path("/elsewhere"), graft.catalog()))
        .isInstanceOf(CvmfsException.Corrupt.class)
        .hasMessageContaining("made for " + MOUNT)
        .hasMessageContaining("/elsewhere");
  }

  @Test
  void theSameTreeGivesTheSameCatalogsEverywhere() {
    Graft graft = write(Entries.random(7, 5000), 1000, 100);

    assertThat(mounts).hasSize(8);
    assertThat(CompressedObject.ofStored(database(graft.catalog()), HashAlgorithm.SHA1).hash())
        .hasToString("3e48165a9da6c158d0637b55bb94146569b44cf7");
  }

  @Test
  void filesOutsideTheRepositoryCannotBeMerged() {
    CatalogEntry entry = file(1);
    FileTree tree = Entries.tree();
    tree.put(path("/a"), entry);
    Graft graft = write(tree, 100, 10);
    byte[] database = database(graft.catalog());

    byte[] external = Rewritten.withExternalFiles(database);

    assertThatThrownBy(
            () ->
                new CatalogTreeReader(hash -> external)
                    .load(Entries.tree(), MOUNT, graft.catalog()))
        .isInstanceOf(CvmfsException.Rejected.class)
        .hasMessageContaining("/layerfs/a is a file outside");
  }
}
