package io.lamina.repository;

import io.lamina.cvmfs.ContentHash;
import io.lamina.cvmfs.HashAlgorithm;
import io.lamina.cvmfs.ObjectKind;
import io.lamina.cvmfs.RepositoryName;
import io.lamina.cvmfs.RepositoryPath;
import io.lamina.cvmfs.catalog.CatalogChange;
import io.lamina.cvmfs.catalog.CatalogEntry;
import io.lamina.cvmfs.catalog.Counters;
import io.lamina.cvmfs.catalog.EditableCatalog;
import io.lamina.cvmfs.catalog.Graft;
import io.lamina.cvmfs.catalog.SealedCatalog;
import io.lamina.cvmfs.compression.CompressedObject;
import io.lamina.cvmfs.compression.ObjectCompressor;
import io.lamina.cvmfs.signing.RepositoryKeys;
import io.lamina.repository.releasemanager.ReleaseManager;
import io.lamina.storage.InMemoryObjectStore;
import io.lamina.storage.ObjectStore;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.security.SecureRandom;
import java.time.Clock;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.HexFormat;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** A small repository in memory, and layers to hang into it. Keys are made once: that is slow. */
final class TestRepository {
  static final RepositoryName NAME = new RepositoryName("test.lamina.example");
  static final Instant CREATED = Instant.parse("2026-01-02T03:04:05Z");
  static final long TIME = CREATED.getEpochSecond() + 100;
  static final Clock CLOCK = Clock.fixed(CREATED, ZoneOffset.UTC);
  static final PublisherBackend.Recorder RECORDER =
      about -> ("record of " + about.root()).getBytes(StandardCharsets.UTF_8);

  private static @Nullable RepositoryKeys keys;

  private TestRepository() {}

  static synchronized RepositoryKeys keys() {
    if (keys == null) {
      keys = RepositoryKeys.generate(NAME, new SecureRandom(), CLOCK);
    }
    return keys;
  }

  static RepositoryDefinition definition() {
    return RepositoryDefinition.inDataFolder(NAME, RepositoryDefinition.Settings.DEFAULT, CREATED);
  }

  static ObjectStore create() {
    ObjectStore store = new InMemoryObjectStore(CLOCK);
    create(store);
    return store;
  }

  static void create(ObjectStore store) {
    new RepositoryCreation(definition(), store, keys())
        .run(Beginning.EMPTY, CatalogCompression.FOR_PUBLISHERS, CLOCK);
  }

  static RepositoryWriter writer(ObjectStore store) {
    return new RepositoryWriter(definition(), store, keys(), Optional.empty());
  }

  /**
   * A writer that a release manager follows.
   *
   * @param folder holds {@code our-keys}
   */
  static RepositoryWriter following(
      ObjectStore store,
      Path folder,
      RepositoryDefinition.Backend.CvmfsServer server,
      Clock clock) {
    Repository repository =
        new Repository(definition(), store, folder.resolve("our-keys"), folder.resolve("our-work"));
    return repository.writer(ReleaseManager.of(repository, server, clock));
  }

  static RepositoryView view(ObjectStore store) {
    return repository(store).view();
  }

  static Repository repository(ObjectStore store) {
    return new Repository(definition(), store, Path.of("/nonexistent"), Path.of("/nonexistent"));
  }

  /** A layer with two files, made for real: its catalog lies in the store. */
  static CatalogChange.Attach layer(ObjectStore store, String name) {
    return layer(store, name, name);
  }

  /** With files whose contents start with this text. */
  static CatalogChange.Attach layer(ObjectStore store, String name, String contents) {
    return catalog(store, RepositoryLayout.layer(hex(name)), contents);
  }

  static CatalogChange.Attach flat(ObjectStore store, String name) {
    return catalog(store, RepositoryLayout.flat(hex(name)), name);
  }

  private static CatalogChange.Attach catalog(
      ObjectStore store, RepositoryPath path, String contents) {
    try (ObjectCompressor compressor = CatalogCompression.FOR_PUBLISHERS.newCompressor();
        EditableCatalog catalog =
            EditableCatalog.createNested(path, Directories.plain(1_000), HashAlgorithm.SHA1)) {
      ObjectUploads uploads = new ObjectUploads(store);
      catalog.makeDirectories(path.resolve("etc"), Directories.plain(1_000));
      for (String file : new String[] {"hostname", "motd"}) {
        byte[] content = (contents + file).getBytes(StandardCharsets.UTF_8);
        ContentHash object = uploads.putFile(content, compressor);
        catalog.put(
            path.resolve("etc").resolve(file),
            CatalogEntry.file(object, content.length, 0644, 1_000),
            nested -> Counters.ZERO);
      }
      SealedCatalog sealed = catalog.seal(1_000);
      CompressedObject object = compressor.compress(sealed.database(), HashAlgorithm.SHA1);
      uploads.put(ObjectKind.CATALOG, object);
      return new CatalogChange.Attach(
          new Graft(path, object.hash(), sealed.database().length, sealed.root(), sealed.total()));
    }
  }

  static CatalogChange.PutFile file(ObjectStore store, String path, String content) {
    try (ObjectCompressor compressor = CatalogCompression.FOR_PUBLISHERS.newCompressor()) {
      byte[] bytes = content.getBytes(StandardCharsets.UTF_8);
      return new CatalogChange.PutFile(
          RepositoryPath.of(path),
          new ObjectUploads(store).putFile(bytes, compressor),
          bytes.length);
    }
  }

  static CatalogChange.PutSymlink link(String path, String target) {
    return new CatalogChange.PutSymlink(RepositoryPath.of(path), target);
  }

  static String hex(String name) {
    try {
      return HexFormat.of()
          .formatHex(
              MessageDigest.getInstance("SHA-256").digest(name.getBytes(StandardCharsets.UTF_8)));
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException(e);
    }
  }
}
