package io.lamina.repository;

import io.lamina.cvmfs.ContentHash;
import io.lamina.cvmfs.CvmfsException;
import io.lamina.cvmfs.HashAlgorithm;
import io.lamina.cvmfs.ObjectKind;
import io.lamina.cvmfs.RepositoryPath;
import io.lamina.cvmfs.catalog.CatalogProperties;
import io.lamina.cvmfs.catalog.CatalogWriter;
import io.lamina.cvmfs.compression.CompressedObject;
import io.lamina.cvmfs.compression.Compression;
import io.lamina.cvmfs.compression.ObjectCompressor;
import io.lamina.cvmfs.compression.ReferenceZlib;
import io.lamina.cvmfs.history.History;
import io.lamina.cvmfs.history.Reflog;
import io.lamina.cvmfs.history.Tag;
import io.lamina.cvmfs.signing.Manifest;
import io.lamina.cvmfs.signing.RepositoryKeys;
import io.lamina.cvmfs.signing.SignedManifest;
import io.lamina.cvmfs.signing.Whitelist;
import io.lamina.storage.Content;
import io.lamina.storage.ObjectStore;
import java.nio.charset.StandardCharsets;
import java.time.Clock;
import java.time.Duration;
import java.util.Optional;

/**
 * Makes the first revision of a repository in an empty store: everything that clients, the original
 * check, replication and garbage collection look for. The manifest comes last.
 *
 * <p>Source: docs/protocol/transactions.md, "Creation".
 */
final class RepositoryCreation {
  private static final String REPLICA_NOTE =
      "This file marks the repository as replicatable to stratum 1 servers\n";
  private static final String META_INFO =
      """
      {
        "administrator": "",
        "email": "",
        "organisation": "",
        "description": "Container images",
        "recommended-stratum0": "",
        "recommended-stratum1s": [],
        "custom": {}
      }
      """;

  private final RepositoryDefinition definition;
  private final ObjectStore store;
  private final RepositoryKeys keys;

  RepositoryCreation(RepositoryDefinition definition, ObjectStore store, RepositoryKeys keys) {
    this.definition = definition;
    this.store = store;
    this.keys = keys;
  }

  /**
   * @throws RepositoryException.Rejected if the store holds a repository
   */
  void run(Beginning beginning, Compression compression, Clock clock) {
    beginning.bring().accept(store);
    try (ObjectCompressor compressor = compression.newCompressor()) {
      ObjectUploads uploads = new ObjectUploads(store);
      uploads.put(ObjectKind.FILE, CompressedObject.empty(HashAlgorithm.SHA1));
      CompressedObject certificate =
          ReferenceZlib.compress(keys.certificate().pem(), HashAlgorithm.SHA1);
      uploads.put(ObjectKind.CERTIFICATE, certificate);
      CompressedObject metaInfo =
          ReferenceZlib.compress(META_INFO.getBytes(StandardCharsets.UTF_8), HashAlgorithm.SHA1);
      uploads.put(ObjectKind.METAINFO, metaInfo);
      Tag.Snapshot head = beginning.head().orElseGet(() -> putEmptyRoot(uploads, compressor));
      Optional<ContentHash> history = putHistory(head, uploads, compressor);
      byte[] reflog = reflog(head, certificate.hash(), metaInfo.hash(), history);
      store.putIfAbsent(
          RepositoryFiles.MASTER_REPLICA,
          Content.of(REPLICA_NOTE.getBytes(StandardCharsets.UTF_8)));
      uploads.flush();
      replace(RepositoryFiles.REFLOG, reflog);
      replace(
          RepositoryFiles.WHITELIST, keys.issueWhitelist(Whitelist.DEFAULT_LIFE, clock).bytes());
      Manifest manifest =
          new Manifest(
              definition.name(),
              head.root(),
              head.rootSizeBytes(),
              definition.settings().ttl(),
              head.revision(),
              definition.settings().garbageCollectable(),
              false,
              certificate.hash(),
              history,
              head.publishedSeconds(),
              Optional.of(metaInfo.hash()),
              Optional.of(Reflog.hashOf(reflog, HashAlgorithm.SHA1)));
      SignedManifest signed = keys.sign(manifest);
      store.swap(RepositoryFiles.MANIFEST, Optional.empty(), signed.bytes());
    } catch (CvmfsException.Rejected e) {
      throw new RepositoryException.Rejected(
          "cannot create " + definition.name() + ": " + e.getMessage(), e);
    }
  }

  private Tag.Snapshot putEmptyRoot(ObjectUploads uploads, ObjectCompressor compressor) {
    long now = definition.createdAt().getEpochSecond();
    byte[] bytes = emptyRoot(now, definition.settings().ttl());
    CompressedObject root = compressor.compress(bytes, HashAlgorithm.SHA1);
    uploads.put(ObjectKind.CATALOG, root);
    return new Tag.Snapshot(root.hash(), bytes.length, Beginning.FIRST_REVISION, now);
  }

  private static byte[] emptyRoot(long now, Duration ttl) {
    return new CatalogWriter(
            new CatalogProperties(RepositoryPath.ROOT, 0, null, now, ttl), Directories.plain(now))
        .finish();
  }

  /** The name of the first root catalog of a repository that is made so. */
  static ContentHash rootOf(long createdSeconds, Duration ttl, Compression compression) {
    try (ObjectCompressor compressor = compression.newCompressor()) {
      return compressor.compress(emptyRoot(createdSeconds, ttl), HashAlgorithm.SHA1).hash();
    }
  }

  private Optional<ContentHash> putHistory(
      Tag.Snapshot head, ObjectUploads uploads, ObjectCompressor compressor) {
    if (!definition.settings().tags()) {
      return Optional.empty();
    }
    try (History history = History.create(definition.name())) {
      history.advance(head, Optional.empty(), definition.settings().genericTags());
      CompressedObject object = compressor.compress(history.toBytes(), HashAlgorithm.SHA1);
      uploads.put(ObjectKind.HISTORY, object);
      return Optional.of(object.hash());
    }
  }

  private byte[] reflog(
      Tag.Snapshot head,
      ContentHash certificate,
      ContentHash metaInfo,
      Optional<ContentHash> history) {
    long now = head.publishedSeconds();
    try (Reflog reflog = Reflog.create(definition.name())) {
      reflog.add(new Reflog.Entry(Reflog.Kind.CERTIFICATE, certificate, now));
      reflog.add(new Reflog.Entry(Reflog.Kind.METAINFO, metaInfo, now));
      history.ifPresent(hash -> reflog.add(new Reflog.Entry(Reflog.Kind.HISTORY, hash, now)));
      reflog.add(new Reflog.Entry(Reflog.Kind.CATALOG, head.root(), now));
      return reflog.toBytes();
    }
  }

  /** An interrupted creation may have left its file; without a manifest nobody relies on it. */
  private void replace(io.lamina.storage.ObjectKey key, byte[] bytes) {
    store.swap(
        key, store.readMutable(key, Reflog.MAX_BYTES).map(ObjectStore.Versioned::version), bytes);
  }
}
