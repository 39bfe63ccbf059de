package io.lamina.cvmfs.check;

import io.lamina.cvmfs.CvmfsException;
import io.lamina.cvmfs.history.Tag;
import io.lamina.cvmfs.reader.ListableRepositoryFiles;
import io.lamina.cvmfs.reader.RepositoryFiles;
import io.lamina.cvmfs.reader.TrustedManifest;
import io.lamina.cvmfs.reader.VerifiedObjects;
import io.lamina.cvmfs.signing.Manifest;
import io.lamina.cvmfs.signing.SignedManifest;
import java.io.IOException;
import java.io.InputStream;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;

/**
 * Checks a whole repository and reports everything that is wrong, not only the first. What is wrong
 * with the repository never throws; only an interrupt and failures of this machine do.
 *
 * <p>Source: docs/format/check.md. One use at a time.
 */
public final class RepositoryCheck {
  private final RepositoryFiles files;
  private final CheckSettings settings;
  private final Consumer<CheckCounts> progress;

  /**
   * @param progress is told, by the thread that calls {@link #run}, how far the check is: after
   *     each catalog and several times a second while it waits for objects
   */
  public RepositoryCheck(
      RepositoryFiles files, CheckSettings settings, Consumer<CheckCounts> progress) {
    this.files = files;
    this.settings = settings;
    this.progress = progress;
  }

  /** Checks the revision that is published now. */
  public CheckReport run() {
    Findings findings = new Findings(settings.maxProblems());
    Optional<Manifest> manifest = loadManifest(findings);
    if (manifest.isPresent()) {
      Runnable tell = () -> progress.accept(findings.counts());
      try (ObjectChecks objects = new ObjectChecks(files, settings, findings, tell)) {
        check(manifest.get(), objects, findings, tell);
      }
    }
    progress.accept(findings.counts());
    return findings.report();
  }

  private void check(Manifest manifest, ObjectChecks objects, Findings findings, Runnable tell) {
    List<Tag> tags = new ReferenceChecks(files, manifest, settings, objects, findings).check();
    VerifiedObjects catalogs = new VerifiedObjects(files, settings.reader().scratch());
    TreeCheck trees = new TreeCheck(catalogs, objects, findings, tell);
    trees.check(manifest.rootCatalog(), manifest.rootCatalogSizeBytes());
    if (settings.depth() == CheckSettings.Depth.EVERY_OBJECT) {
      for (Tag tag : tags) {
        trees.check(tag.snapshot().root(), tag.snapshot().rootSizeBytes());
      }
      if (files instanceof ListableRepositoryFiles listable) {
        new StorageScan(listable, objects, findings).run();
      }
    }
    objects.drain();
  }

  /** An untrusted manifest is a problem, but what it names can be checked nevertheless. */
  private Optional<Manifest> loadManifest(Findings findings) {
    try {
      return Optional.of(TrustedManifest.fetch(files, settings.reader()).manifest());
    } catch (CvmfsException e) {
      findings.add(Manifest.FILE_NAME, "failed to fetch repository manifest", e);
    }
    try (InputStream in = files.open(Manifest.FILE_NAME)) {
      byte[] bytes = in.readNBytes(SignedManifest.MAX_READ_BYTES + 1);
      return Optional.of(SignedManifest.parse(bytes).manifest());
    } catch (CvmfsException | IOException e) {
      return Optional.empty(); // reported above already
    }
  }
}
