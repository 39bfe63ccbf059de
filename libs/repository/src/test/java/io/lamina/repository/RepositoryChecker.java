package io.lamina.repository;

import static org.assertj.core.api.Assertions.assertThat;

import io.lamina.cvmfs.ContentHash;
import io.lamina.cvmfs.HashAlgorithm;
import io.lamina.cvmfs.ObjectKind;
import io.lamina.cvmfs.PathHash;
import io.lamina.cvmfs.RepositoryPath;
import io.lamina.cvmfs.catalog.CatalogEntry;
import io.lamina.cvmfs.catalog.CatalogReader;
import io.lamina.cvmfs.catalog.CatalogRow;
import io.lamina.cvmfs.catalog.Counters;
import io.lamina.cvmfs.catalog.NestedCatalog;
import io.lamina.cvmfs.compression.Decompression;
import io.lamina.cvmfs.history.History;
import io.lamina.cvmfs.history.Reflog;
import io.lamina.cvmfs.history.Tag;
import io.lamina.cvmfs.signing.Manifest;
import io.lamina.storage.ObjectStore;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Map;
import java.util.TreeMap;

/**
 * Walks a whole repository and insists on what the original check insists on: every object there,
 * every catalog where it hangs, link counts and counters as the rows say, reflog and history.
 */
final class RepositoryChecker {
  private static final int MAX_BYTES = 64 << 20;
  private static final Counters ONE_NESTED = new Counters(0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0);

  private final ObjectStore store;
  private final Map<String, String> tree = new TreeMap<>();

  private RepositoryChecker(ObjectStore store) {
    this.store = store;
  }

  /** Every path with type, target or hash; fails if anything is wrong. */
  static Map<String, String> check(ObjectStore store) {
    RepositoryChecker checker = new RepositoryChecker(store);
    checker.checkManifest(TestRepository.repository(store).manifest().manifest());
    return checker.tree;
  }

  private void checkManifest(Manifest manifest) {
    TestRepository.repository(store).manifest().verify(TestRepository.keys().certificate());
    byte[] reflogBytes = store.read(RepositoryFiles.REFLOG, MAX_BYTES);
    assertThat(manifest.reflog())
        .as("the reflog that the manifest names")
        .contains(Reflog.hashOf(reflogBytes, HashAlgorithm.SHA1));
    try (Reflog reflog = Reflog.open(reflogBytes, manifest.repository())) {
      assertThat(reflog.contains(Reflog.Kind.CATALOG, manifest.rootCatalog())).isTrue();
      assertThat(reflog.contains(Reflog.Kind.CERTIFICATE, manifest.certificate())).isTrue();
      assertThat(reflog.contains(Reflog.Kind.HISTORY, manifest.history().orElseThrow())).isTrue();
      assertThat(reflog.contains(Reflog.Kind.METAINFO, manifest.metaInfo().orElseThrow())).isTrue();
    }
    byte[] historyBytes = object(ObjectKind.HISTORY, manifest.history().orElseThrow());
    try (History history = History.open(historyBytes, manifest.repository())) {
      Tag trunk = history.tag(Tag.TRUNK).orElseThrow();
      assertThat(trunk.snapshot().root()).isEqualTo(manifest.rootCatalog());
      assertThat(trunk.snapshot().revision()).isEqualTo(manifest.revision());
    }
    object(ObjectKind.CERTIFICATE, manifest.certificate());
    object(ObjectKind.METAINFO, manifest.metaInfo().orElseThrow());
    byte[] root = object(ObjectKind.CATALOG, manifest.rootCatalog());
    assertThat((long) root.length).isEqualTo(manifest.rootCatalogSizeBytes());
    try (CatalogReader reader = CatalogReader.open(root)) {
      assertThat(reader.revision()).isEqualTo(manifest.revision());
      assertThat(reader.lastModifiedSeconds()).isEqualTo(manifest.publishedSeconds());
    }
    checkCatalog(RepositoryPath.ROOT, root);
  }

  private Counters checkCatalog(RepositoryPath mount, byte[] database) {
    try (CatalogReader catalog = CatalogReader.open(database)) {
      assertThat(catalog.mount()).isEqualTo(mount);
      Counters self = Counters.ZERO;
      Counters subtree = Counters.ZERO;
      Map<RepositoryPath, NestedCatalog> nested = new TreeMap<>();
      catalog.nestedCatalogs().forEach(n -> nested.put(n.path(), n));
      CatalogRow root = catalog.lookup(mount).orElseThrow();
      assertThat(root.isNestedRoot()).isEqualTo(!mount.isRoot());
      assertThat(catalog.lookup(mount.resolve(".cvmfscatalog")).isPresent())
          .as("marker in %s", mount)
          .isEqualTo(!mount.isRoot());
      self = self.plus(Counters.of(catalog.entry(root)));
      Deque<RepositoryPath> directories = new ArrayDeque<>();
      directories.add(mount);
      while (!directories.isEmpty()) {
        RepositoryPath directory = directories.remove();
        int subDirectories = 0;
        PathHash hash = directory.hash();
        for (CatalogRow row : catalog.list(hash)) {
          RepositoryPath path = directory.resolve(row.name() == null ? new byte[0] : row.name());
          assertThat(row.path()).isEqualTo(path.hash());
          CatalogEntry entry = catalog.entry(row);
          self = self.plus(Counters.of(entry));
          tree.put(path.toString(), describe(entry));
          if (entry.isRegular() && entry.hash() != null) {
            object(ObjectKind.FILE, entry.hash());
          }
          if (entry.isDirectory()) {
            subDirectories++;
            if (row.isNestedMountpoint()) {
              NestedCatalog child = nested.remove(path);
              if (child == null) {
                throw new AssertionError("a mountpoint without a catalog: " + path);
              }
              self = self.plus(ONE_NESTED);
              byte[] bytes = object(ObjectKind.CATALOG, child.hash());
              assertThat((long) bytes.length).isEqualTo(child.sizeBytes());
              try (CatalogReader reader = CatalogReader.open(bytes)) {
                assertThat(reader.entry(reader.lookup(path).orElseThrow()))
                    .as("both rows of %s", path)
                    .isEqualTo(entry);
              }
              subtree = subtree.plus(checkCatalog(path, bytes));
            } else {
              directories.add(path);
            }
          }
        }
        assertThat(catalog.lookup(directory).orElseThrow().linkCount())
            .as("links of %s", directory)
            .isEqualTo(2 + subDirectories);
      }
      assertThat(nested).as("nested catalogs without mountpoint in %s", mount).isEmpty();
      assertThat(catalog.self()).as("counters of %s", mount).isEqualTo(self);
      assertThat(catalog.subtree()).as("counters below %s", mount).isEqualTo(subtree);
      long[] rows = new long[1];
      catalog.forEachRow(row -> rows[0]++);
      assertThat(rows[0]).as("rows of %s", mount).isEqualTo(self.rows());
      return self.plus(subtree);
    }
  }

  private static String describe(CatalogEntry entry) {
    if (entry.isSymlink()) {
      return "link " + new String(entry.symlinkTarget(), java.nio.charset.StandardCharsets.UTF_8);
    }
    return entry.isDirectory() ? "dir" : "file " + entry.hash();
  }

  private byte[] object(ObjectKind kind, ContentHash hash) {
    byte[] stored = store.read(RepositoryFiles.object(kind, hash), MAX_BYTES);
    assertThat(ContentHash.of(HashAlgorithm.SHA1, HashAlgorithm.SHA1.newDigest().digest(stored)))
        .isEqualTo(hash);
    return Decompression.inflate(stored, MAX_BYTES);
  }
}
