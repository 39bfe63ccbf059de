package io.lamina.cvmfs.check;

import io.lamina.cvmfs.ContentHash;
import io.lamina.cvmfs.CvmfsException;
import io.lamina.cvmfs.ObjectKind;
import io.lamina.cvmfs.compression.ReferenceZlib;
import io.lamina.cvmfs.history.History;
import io.lamina.cvmfs.history.Reflog;
import io.lamina.cvmfs.history.Tag;
import io.lamina.cvmfs.reader.RepositoryFiles;
import io.lamina.cvmfs.reader.VerifiedObjects;
import io.lamina.cvmfs.signing.Manifest;
import io.lamina.cvmfs.signing.RepositoryCertificate;
import java.io.IOException;
import java.io.InputStream;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.BiConsumer;

/**
 * Checks what a manifest names beside the root catalog.
 *
 * <p>Source: docs/format/check.md, "What the manifest names". Not thread-safe.
 */
final class ReferenceChecks {
  private static final int MAX_METAINFO_BYTES = 1 << 20;

  private final RepositoryFiles files;
  private final Manifest manifest;
  private final CheckSettings settings;
  private final VerifiedObjects reader;
  private final ObjectChecks objects;
  private final Findings findings;

  ReferenceChecks(
      RepositoryFiles files,
      Manifest manifest,
      CheckSettings settings,
      ObjectChecks objects,
      Findings findings) {
    this.files = files;
    this.manifest = manifest;
    this.settings = settings;
    this.reader = new VerifiedObjects(files, settings.reader().scratch());
    this.objects = objects;
    this.findings = findings;
  }

  /** Checks all of it and returns the tags. */
  List<Tag> check() {
    checkReplicable(
        manifest.certificate(), ObjectKind.CERTIFICATE, RepositoryCertificate.MAX_BYTES);
    manifest
        .metaInfo()
        .ifPresent(hash -> checkReplicable(hash, ObjectKind.METAINFO, MAX_METAINFO_BYTES));
    checkReflog();
    if (manifest.alternativePaths()) {
      forEachNamed(this::checkAlternativePath);
    }
    return manifest.history().map(this::checkHistory).orElse(List.of());
  }

  /** Replicas compress these again and store them under the name that the manifest gives. */
  private void checkReplicable(ContentHash hash, ObjectKind kind, int maxBytes) {
    String path = kind.pathOf(hash);
    byte[] content;
    try {
      content = reader.read(hash, kind, maxBytes);
      objects.verified(hash, kind);
    } catch (CvmfsException e) {
      findings.add(path, "failed to load repository " + nameOf(kind) + " " + hash, e);
      return;
    }
    ContentHash again;
    try {
      again = ReferenceZlib.compress(content, hash.algorithm()).hash();
    } catch (CvmfsException.Rejected e) {
      return; // this JVM compresses differently, so nothing can be said
    }
    if (!again.equals(hash)) {
      findings.add(
          path,
          "not compressed as zlib level 6 does it; replicas will store it under another name",
          hash,
          again);
    }
  }

  private void checkReflog() {
    Optional<ContentHash> expected = manifest.reflog();
    byte[] bytes;
    try {
      if (expected.isEmpty()) {
        if (files.exists(Reflog.FILE_NAME)) {
          findings.add(Reflog.FILE_NAME, ".cvmfsreflog present but no checksum provided");
        }
        return;
      }
      bytes = readReflog();
    } catch (CvmfsException e) {
      findings.add(Reflog.FILE_NAME, "failed to read the log of references", e);
      return;
    }
    ContentHash actual = Reflog.hashOf(bytes, expected.get().algorithm());
    if (!actual.equals(expected.get())) {
      findings.add(
          Reflog.FILE_NAME, "the .cvmfsreflog has unexpected content hash", expected.get(), actual);
      return;
    }
    try (Reflog reflog = Reflog.open(bytes, manifest.repository())) {
      checkReflogEntries(reflog);
    } catch (CvmfsException e) {
      findings.add(Reflog.FILE_NAME, "damaged log of references", e);
    }
  }

  private byte[] readReflog() {
    try (InputStream in = files.open(Reflog.FILE_NAME)) {
      byte[] bytes = in.readNBytes(Reflog.MAX_BYTES + 1);
      if (bytes.length > Reflog.MAX_BYTES) {
        throw new CvmfsException.Rejected("it has more than " + Reflog.MAX_BYTES + " bytes");
      }
      return bytes;
    } catch (IOException e) {
      throw new CvmfsException.Retryable("cannot read it from " + files, e);
    }
  }

  private void checkReflogEntries(Reflog reflog) {
    forEachNamed(
        (kind, hash) -> {
          for (Reflog.Kind candidate : Reflog.Kind.values()) {
            if (candidate.object() == kind && !reflog.contains(candidate, hash)) {
              findings.add(
                  Reflog.FILE_NAME, "failed to find " + nameOf(kind) + " hash", hash, "nothing");
            }
          }
        });
    if (settings.depth() == CheckSettings.Depth.EVERY_OBJECT) {
      reflog.forEach(
          entry ->
              objects.stored(
                  entry.hash(),
                  entry.kind().object(),
                  Reflog.FILE_NAME,
                  nameOf(entry.kind().object()) + " that the log names,"));
    }
  }

  private List<Tag> checkHistory(ContentHash hash) {
    String path = ObjectKind.HISTORY.pathOf(hash);
    try {
      byte[] content = reader.read(hash, ObjectKind.HISTORY, History.MAX_BYTES);
      objects.verified(hash, ObjectKind.HISTORY);
      try (History history = History.open(content, manifest.repository())) {
        List<Tag> tags = history.tags();
        checkBranches(path, history.branches(), tags);
        return tags;
      }
    } catch (CvmfsException e) {
      findings.add(path, "failed to load the tag database", e);
      return List.of();
    }
  }

  private void checkBranches(String path, List<History.Branch> branches, List<Tag> tags) {
    Map<String, History.Branch> byName = new HashMap<>();
    for (History.Branch branch : branches) {
      byName.put(branch.name(), branch);
      if (!Tag.isValidBranch(branch.name())) {
        findings.add(path, "invalid branch name: " + branch.name());
      }
    }
    Set<String> used = new HashSet<>();
    for (Tag tag : tags) {
      used.add(tag.branch());
      History.Branch branch = byName.get(tag.branch());
      if (branch == null) {
        findings.add(path, "invalid branch " + tag.branch() + " in tag " + tag.name());
      } else if (tag.snapshot().revision() < branch.initialRevision()) {
        findings.add(
            path,
            "invalid revision of tag " + tag.name(),
            branch.initialRevision() + " or more",
            tag.snapshot().revision());
      }
    }
    byName.keySet().removeAll(used);
    if (!byName.isEmpty()) {
      findings.add(path, "unused, dangling branches stored: " + byName.keySet());
    }
  }

  private void checkAlternativePath(ObjectKind kind, ContentHash hash) {
    String path = ".cvmfsalt-" + hash + kind.suffix();
    try {
      if (!files.exists(path)) {
        findings.add(path, "failed to find alternative path of " + nameOf(kind) + " " + hash);
      }
    } catch (CvmfsException e) {
      findings.add(path, "alternative path cannot be checked", e);
    }
  }

  private void forEachNamed(BiConsumer<ObjectKind, ContentHash> sink) {
    sink.accept(ObjectKind.CATALOG, manifest.rootCatalog());
    sink.accept(ObjectKind.CERTIFICATE, manifest.certificate());
    manifest.history().ifPresent(hash -> sink.accept(ObjectKind.HISTORY, hash));
    manifest.metaInfo().ifPresent(hash -> sink.accept(ObjectKind.METAINFO, hash));
  }

  private static String nameOf(ObjectKind kind) {
    return switch (kind) {
      case CATALOG -> "catalog root";
      case CERTIFICATE -> "certificate";
      case HISTORY -> "tag database";
      case METAINFO -> "metainfo";
      case FILE, CHUNK -> "data";
    };
  }
}
