package io.lamina.publisher;

import io.lamina.cvmfs.RepositoryPath;
import io.lamina.cvmfs.catalog.CatalogChange;
import io.lamina.cvmfs.catalog.Graft;
import io.lamina.image.Digest;
import io.lamina.repository.RepositoryLayout;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/** A repository as a map from path to what was put there; counts what really changed. */
final class FakeRepository implements PublishedContents {
  private final Map<RepositoryPath, CatalogChange> entries = new TreeMap<>();
  private final List<List<CatalogChange>> transactions = new ArrayList<>();

  /** Paths whose steps are refused. */
  final Set<RepositoryPath> refused = new HashSet<>();

  long revision() {
    return transactions.size();
  }

  List<List<CatalogChange>> transactions() {
    return transactions;
  }

  Map<RepositoryPath, CatalogChange> entries() {
    return entries;
  }

  /** Commits all steps that are not refused, in one transaction. */
  Map<String, Step.Result> commit(List<Step> steps) {
    Map<String, Step.Result> results = new LinkedHashMap<>();
    List<CatalogChange> effective = new ArrayList<>();
    Set<String> bad = new HashSet<>();
    Map<String, Boolean> changed = new LinkedHashMap<>();
    for (Step step : steps) {
      List<CatalogChange> changes = new ArrayList<>(step.changes());
      step.files()
          .forEach(
              f ->
                  changes.add(
                      new CatalogChange.PutFile(
                          f.path(), TestEvents.hash(f.bytes()), f.bytes().length)));
      if (changes.stream().anyMatch(c -> refused.contains(c.path()))
          || step.needs().stream().anyMatch(bad::contains)) {
        bad.add(step.key());
        results.put(step.key(), new Step.Result.Refused("refused by the test"));
        continue;
      }
      int before = effective.size();
      for (CatalogChange change : changes) {
        if (!same(change, entries.get(change.path()))) {
          entries.put(change.path(), change);
          effective.add(change);
        }
      }
      changed.put(step.key(), effective.size() > before);
    }
    if (!effective.isEmpty()) {
      transactions.add(List.copyOf(effective));
    }
    changed.forEach((key, yes) -> results.put(key, new Step.Result.Shown(revision(), yes)));
    return results;
  }

  private static boolean same(CatalogChange change, @Nullable CatalogChange there) {
    if (change instanceof CatalogChange.Attach a && there instanceof CatalogChange.Attach b) {
      return a.graft().catalog().equals(b.graft().catalog());
    }
    return change.equals(there);
  }

  @Override
  public Optional<Layer> layer(Digest blob) {
    Optional<Digest> diffId =
        Optional.ofNullable(entries.get(RepositoryLayout.layerDiffId(blob.hex())))
            .map(c -> Digest.parse(((CatalogChange.PutSymlink) c).target()));
    return layerGraft(blob).map(graft -> new Layer(diffId));
  }

  @Override
  public Optional<Graft> layerGraft(Digest blob) {
    return graft(RepositoryLayout.layer(blob.hex()));
  }

  @Override
  public boolean hasFlat(Digest imageId) {
    return graft(RepositoryLayout.flat(imageId.hex())).isPresent();
  }

  @Override
  public boolean exists(RepositoryPath path) {
    return entries.containsKey(path)
        || entries.keySet().stream().anyMatch(entry -> entry.startsWith(path));
  }

  private Optional<Graft> graft(RepositoryPath path) {
    return Optional.ofNullable(entries.get(path)).map(c -> ((CatalogChange.Attach) c).graft());
  }
}
