package io.lamina.cvmfs;

import io.lamina.cvmfs.catalog.CatalogReader;
import io.lamina.cvmfs.catalog.NestedCatalog;
import io.lamina.cvmfs.compression.CompressedObject;
import io.lamina.cvmfs.compression.Decompression;
import io.lamina.cvmfs.compression.ReferenceZlib;
import io.lamina.cvmfs.history.Reflog;
import io.lamina.cvmfs.reader.MemoryRepositoryFiles;
import io.lamina.cvmfs.reader.ReaderSettings;
import io.lamina.cvmfs.signing.Manifest;
import io.lamina.cvmfs.signing.RepositoryKeys;
import io.lamina.cvmfs.signing.SignedManifest;
import io.lamina.cvmfs.signing.Whitelist;
import java.security.SecureRandom;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Optional;

/**
 * The fixture under keys of our own, so that tests can damage it inside and sign it again: what is
 * wrong then is only what the test made wrong.
 */
public final class SignedRepository {
  public static final RepositoryName NAME = Fixture.NAME;
  private static final RepositoryKeys KEYS =
      RepositoryKeys.generate(NAME, new SecureRandom(), Fixture.CLOCK);
  private static final int MAX_BYTES = 64 << 20;

  private final MemoryRepositoryFiles files = new MemoryRepositoryFiles(Fixture.files());
  private Manifest manifest = SignedManifest.parse(files.content(Manifest.FILE_NAME)).manifest();

  public SignedRepository() {
    ContentHash certificate =
        store(
            ObjectKind.CERTIFICATE,
            ReferenceZlib.compress(KEYS.certificate().pem(), HashAlgorithm.SHA1));
    manifest = with(manifest.rootCatalog(), manifest.rootCatalogSizeBytes(), certificate);
    files.put(
        Whitelist.FILE_NAME, KEYS.issueWhitelist(Whitelist.DEFAULT_LIFE, Fixture.CLOCK).bytes());
    publish();
  }

  public MemoryRepositoryFiles files() {
    return files;
  }

  public Manifest manifest() {
    return manifest;
  }

  public ReaderSettings settings() {
    return ReaderSettings.of(NAME, KEYS.masterKeys(), Fixture.CLOCK);
  }

  public RepositoryKeys keys() {
    return KEYS;
  }

  /** Changes the catalog at {@code mount} ("" for the root) and all that name it, and publishes. */
  public SignedRepository editCatalog(String mount, String... statements) {
    Deque<NestedCatalog> chain = chainTo(RepositoryPath.of(mount));
    NestedCatalog edited = chain.pop();
    byte[] database = SqlEdit.apply(object(ObjectKind.CATALOG, edited.hash()), List.of(statements));
    ContentHash hash = storeCatalog(database);
    for (NestedCatalog parent : chain) {
      String update =
          "UPDATE nested_catalogs SET sha1 = '%s', size = %d WHERE path = '%s'"
              .formatted(hash, database.length, edited.path());
      database = SqlEdit.apply(object(ObjectKind.CATALOG, parent.hash()), List.of(update));
      hash = storeCatalog(database);
      edited = parent;
    }
    manifest = with(hash, database.length, manifest.certificate());
    return publish();
  }

  /** Changes the history object and publishes. */
  public SignedRepository editHistory(String... statements) {
    byte[] database =
        SqlEdit.apply(
            object(ObjectKind.HISTORY, manifest.history().orElseThrow()), List.of(statements));
    ContentHash hash = store(ObjectKind.HISTORY, compressed(database));
    return publish(withHistory(Optional.of(hash)));
  }

  /** Changes the reflog after its last addition and signs its new hash. */
  public SignedRepository editReflog(String... statements) {
    byte[] reflog = SqlEdit.apply(files.content(Reflog.FILE_NAME), List.of(statements));
    return sign(reflog);
  }

  /** Publishes another manifest: the reflog learns of all that it names. */
  public SignedRepository publish(Manifest next) {
    manifest = next;
    return publish();
  }

  /** Signs exactly this manifest. */
  public SignedRepository sign(Manifest next) {
    manifest = next;
    files.put(Manifest.FILE_NAME, KEYS.sign(next).bytes());
    return this;
  }

  public ContentHash store(ObjectKind kind, CompressedObject object) {
    files.put(kind.pathOf(object.hash()), object.bytes());
    return object.hash();
  }

  public static CompressedObject compressed(byte[] content) {
    return ReferenceZlib.compress(content, HashAlgorithm.SHA1);
  }

  private ContentHash storeCatalog(byte[] database) {
    return store(ObjectKind.CATALOG, compressed(database));
  }

  private byte[] object(ObjectKind kind, ContentHash hash) {
    return Decompression.inflate(files.content(kind.pathOf(hash)), MAX_BYTES);
  }

  /** The catalog at the mount first, then what names it, up to the root. */
  private Deque<NestedCatalog> chainTo(RepositoryPath mount) {
    Deque<NestedCatalog> chain = new ArrayDeque<>();
    NestedCatalog at =
        new NestedCatalog(
            RepositoryPath.ROOT, manifest.rootCatalog(), manifest.rootCatalogSizeBytes());
    chain.push(at);
    while (!at.path().equals(mount)) {
      try (CatalogReader reader = CatalogReader.open(object(ObjectKind.CATALOG, at.hash()))) {
        at = reader.nestedAbove(mount).orElseThrow();
      }
      chain.push(at);
    }
    return chain;
  }

  private SignedRepository publish() {
    try (Reflog reflog = Reflog.open(files.content(Reflog.FILE_NAME), NAME)) {
      List<Reflog.Entry> entries = new ArrayList<>();
      entries.add(new Reflog.Entry(Reflog.Kind.CATALOG, manifest.rootCatalog(), 1));
      entries.add(new Reflog.Entry(Reflog.Kind.CERTIFICATE, manifest.certificate(), 1));
      manifest
          .history()
          .ifPresent(hash -> entries.add(new Reflog.Entry(Reflog.Kind.HISTORY, hash, 1)));
      manifest
          .metaInfo()
          .ifPresent(hash -> entries.add(new Reflog.Entry(Reflog.Kind.METAINFO, hash, 1)));
      entries.forEach(reflog::add);
      return sign(reflog.toBytes());
    }
  }

  private SignedRepository sign(byte[] reflog) {
    files.put(Reflog.FILE_NAME, reflog);
    return sign(withReflog(Optional.of(Reflog.hashOf(reflog, HashAlgorithm.SHA1))));
  }

  private Manifest with(ContentHash root, long rootSizeBytes, ContentHash certificate) {
    return new Manifest(
        manifest.repository(),
        root,
        rootSizeBytes,
        manifest.ttl(),
        manifest.revision(),
        manifest.garbageCollectable(),
        manifest.alternativePaths(),
        certificate,
        manifest.history(),
        manifest.publishedSeconds(),
        manifest.metaInfo(),
        manifest.reflog());
  }

  public Manifest withHistory(Optional<ContentHash> history) {
    return new Manifest(
        manifest.repository(),
        manifest.rootCatalog(),
        manifest.rootCatalogSizeBytes(),
        manifest.ttl(),
        manifest.revision(),
        manifest.garbageCollectable(),
        manifest.alternativePaths(),
        manifest.certificate(),
        history,
        manifest.publishedSeconds(),
        manifest.metaInfo(),
        manifest.reflog());
  }

  public Manifest withReflog(Optional<ContentHash> reflog) {
    return new Manifest(
        manifest.repository(),
        manifest.rootCatalog(),
        manifest.rootCatalogSizeBytes(),
        manifest.ttl(),
        manifest.revision(),
        manifest.garbageCollectable(),
        manifest.alternativePaths(),
        manifest.certificate(),
        manifest.history(),
        manifest.publishedSeconds(),
        manifest.metaInfo(),
        reflog);
  }
}
