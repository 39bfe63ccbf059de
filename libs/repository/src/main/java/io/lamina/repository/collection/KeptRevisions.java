package io.lamina.repository.collection;

import io.lamina.cvmfs.ContentHash;
import io.lamina.cvmfs.history.Reflog;
import io.lamina.cvmfs.signing.Manifest;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;

/**
 * Which entries of the reflog stay: what was the newest revision at some time of the history that
 * is kept, the latest revisions, what tags name, and what the manifest names.
 *
 * @param roots root catalogs that stay
 * @param others certificates, histories and descriptions that stay
 * @param forgotten entries that go
 */
record KeptRevisions(
    Set<ContentHash> roots, Set<Reflog.Entry> others, List<Reflog.Entry> forgotten) {
  static KeptRevisions of(
      List<Reflog.Entry> log,
      Manifest manifest,
      Set<ContentHash> named,
      CollectionSettings settings,
      Instant now) {
    List<Reflog.Entry> catalogs =
        log.stream()
            .filter(entry -> entry.kind() == Reflog.Kind.CATALOG)
            .sorted(Comparator.comparingLong(Reflog.Entry::addedSeconds).reversed())
            .toList();
    long oldest = now.minus(settings.history()).getEpochSecond();
    Set<ContentHash> roots = new LinkedHashSet<>(named);
    roots.add(manifest.rootCatalog());
    long oldestKept = manifest.publishedSeconds();
    for (int i = 0; i < catalogs.size(); i++) {
      Reflog.Entry entry = catalogs.get(i);
      boolean isInHistory = entry.addedSeconds() >= oldest;
      // The first that is older was still shown when the history begins.
      boolean beginsHistory = i == 0 || catalogs.get(i - 1).addedSeconds() >= oldest;
      if (isInHistory || beginsHistory || i < settings.revisions()) {
        roots.add(entry.hash());
        oldestKept = Math.min(oldestKept, entry.addedSeconds());
      }
    }
    Set<ContentHash> current = new HashSet<>();
    Stream.of(Optional.of(manifest.certificate()), manifest.history(), manifest.metaInfo())
        .flatMap(Optional::stream)
        .forEach(current::add);
    Set<Reflog.Entry> others = new LinkedHashSet<>();
    List<Reflog.Entry> forgotten = new ArrayList<>();
    for (Reflog.Entry entry : log) {
      boolean stays =
          entry.kind() == Reflog.Kind.CATALOG
              ? roots.contains(entry.hash())
              : entry.addedSeconds() >= oldestKept || current.contains(entry.hash());
      if (!stays) {
        forgotten.add(entry);
      } else if (entry.kind() != Reflog.Kind.CATALOG) {
        others.add(entry);
      }
    }
    return new KeptRevisions(roots, others, forgotten);
  }
}
