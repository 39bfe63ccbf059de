package io.lamina.repository;

import io.lamina.cvmfs.ContentHash;
import io.lamina.cvmfs.history.Tag;
import io.lamina.cvmfs.signing.Manifest;
import java.util.Optional;

/** Manifests that follow from others. */
final class ManifestChanges {
  private ManifestChanges() {}

  static Manifest next(
      Manifest base,
      Tag.Snapshot head,
      ContentHash certificate,
      Optional<ContentHash> history,
      RepositoryDefinition.Settings settings,
      Optional<ContentHash> reflog) {
    return new Manifest(
        base.repository(),
        head.root(),
        head.rootSizeBytes(),
        settings.ttl(),
        head.revision(),
        settings.garbageCollectable(),
        base.alternativePaths(),
        certificate,
        history,
        head.publishedSeconds(),
        base.metaInfo(),
        reflog);
  }

  /** The same revision with another reflog. */
  static Manifest withReflog(Manifest base, ContentHash reflog) {
    return new Manifest(
        base.repository(),
        base.rootCatalog(),
        base.rootCatalogSizeBytes(),
        base.ttl(),
        base.revision(),
        base.garbageCollectable(),
        base.alternativePaths(),
        base.certificate(),
        base.history(),
        base.publishedSeconds(),
        base.metaInfo(),
        Optional.of(reflog));
  }
}
