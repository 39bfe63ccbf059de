package io.lamina.repository;

import io.lamina.cvmfs.ContentHash;
import io.lamina.cvmfs.HashAlgorithm;
import io.lamina.cvmfs.ObjectKind;
import io.lamina.cvmfs.RepositoryPath;
import io.lamina.cvmfs.catalog.CatalogChange;
import io.lamina.cvmfs.catalog.CatalogReader;
import io.lamina.cvmfs.compression.CompressedObject;
import io.lamina.cvmfs.compression.Decompression;
import io.lamina.cvmfs.history.Reflog;
import io.lamina.cvmfs.signing.Manifest;
import io.lamina.repository.collection.CollectionReport;
import io.lamina.repository.collection.CollectionRoots;
import io.lamina.repository.collection.CollectionSettings;
import io.lamina.repository.collection.ObjectCollection;
import io.lamina.storage.InMemoryObjectStore;
import io.lamina.storage.ObjectKey;
import io.lamina.storage.ObjectStore;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;

/** A repository whose time goes on, and what it takes to see what a collection did to it. */
final class CollectedRepository implements AutoCloseable {
  static final Duration GRACE = Duration.ofDays(3);
  static final Duration HISTORY = Duration.ofDays(5);
  private static final int MAX_BYTES = 64 << 20;

  final SettableClock clock = new SettableClock(TestRepository.CREATED);
  final ObjectStore store = new InMemoryObjectStore(clock);
  final RepositoryWriter writer;
  private final Path folder;

  CollectedRepository(Path folder) {
    this.folder = folder;
    // Tags keep their revisions, so there are to be few.
    RepositoryDefinition definition =
        RepositoryDefinition.inDataFolder(
            TestRepository.NAME,
            new RepositoryDefinition.Settings(Duration.ofMinutes(4), true, true, true, 1),
            TestRepository.CREATED);
    new RepositoryCreation(definition, store, TestRepository.keys())
        .run(Beginning.EMPTY, CatalogCompression.FOR_PUBLISHERS, clock);
    writer = new RepositoryWriter(definition, store, TestRepository.keys(), Optional.empty());
  }

  CollectionSettings settings() {
    return new CollectionSettings(GRACE, HISTORY, 2, 2, folder);
  }

  Committed commit(CatalogChange... changes) {
    Committed committed =
        writer.commit(List.of(changes), clock.instant().getEpochSecond(), TestRepository.RECORDER);
    writer.forgetRecord(committed.root());
    return committed;
  }

  CatalogChange.Remove removal(String layer) {
    return new CatalogChange.Remove(RepositoryLayout.layerFolder(TestRepository.hex(layer)));
  }

  CollectionReport collect() {
    return collect(CollectionRoots.NONE, false);
  }

  CollectionReport collect(CollectionRoots outside, boolean dryRun) {
    try (ObjectCollection collection =
        new ObjectCollection(store, writer, settings(), clock, dryRun)) {
      return collection.run(outside, () -> {});
    }
  }

  void days(int days) {
    clock.advance(Duration.ofDays(days));
  }

  /** Keys of all objects. */
  Set<String> stored() {
    Set<String> keys = new TreeSet<>();
    store.list("data/", stat -> keys.add(stat.key().value()));
    return keys;
  }

  boolean has(ObjectKind kind, ContentHash hash) {
    return store.head(new ObjectKey(kind.pathOf(hash))).isPresent();
  }

  /** Keys of all that the reflog's entries refer to; fails if a catalog of these is missing. */
  Set<String> reachable() {
    Manifest manifest = TestRepository.repository(store).manifest().manifest();
    Set<String> found = new TreeSet<>();
    List<Reflog.Entry> entries = new ArrayList<>();
    try (Reflog reflog =
        Reflog.open(store.read(RepositoryFiles.REFLOG, MAX_BYTES), manifest.repository())) {
      reflog.forEach(entries::add);
    }
    for (Reflog.Entry entry : entries) {
      if (entry.kind() == Reflog.Kind.CATALOG) {
        addTree(entry.hash(), found);
      } else {
        found.add(entry.kind().object().pathOf(entry.hash()));
      }
    }
    return found;
  }

  /** Keys of what is never removed. */
  Set<String> always() {
    return Set.of(ObjectKind.FILE.pathOf(CompressedObject.empty(HashAlgorithm.SHA1).hash()));
  }

  /** A catalog's key and those of everything below it. */
  void addTree(ContentHash catalog, Set<String> found) {
    String key = ObjectKind.CATALOG.pathOf(catalog);
    if (!found.add(key)) {
      return;
    }
    byte[] database = Decompression.inflate(store.read(new ObjectKey(key), MAX_BYTES), MAX_BYTES);
    try (CatalogReader reader = CatalogReader.open(database)) {
      reader.forEachRow(
          row -> {
            byte[] hash = row.hash();
            if (hash != null) {
              String hex = HexFormat.of().formatHex(hash);
              found.add("data/" + hex.substring(0, 2) + "/" + hex.substring(2));
            }
          });
      reader.nestedCatalogs().forEach(nested -> addTree(nested.hash(), found));
    }
  }

  boolean shows(String layer) {
    try (RepositoryView view = TestRepository.view(store)) {
      return view.lookup(RepositoryPath.of(RepositoryLayout.layer(TestRepository.hex(layer)) + ""))
          .isPresent();
    }
  }

  @Override
  public void close() {
    writer.close();
  }
}
