package io.lamina.publisher;

import io.lamina.cvmfs.RepositoryPath;
import io.lamina.cvmfs.catalog.CatalogChange;
import io.lamina.cvmfs.catalog.Graft;
import io.lamina.image.Digest;
import io.lamina.messaging.event.Event.RemovalRequested;
import io.lamina.messaging.event.WorkKey;
import io.lamina.repository.RepositoryLayout;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** A repository as a map from path to what was put there; counts what really changed. */
final class FakeRepository implements PublishedContents {
  private final Map<RepositoryPath, CatalogChange> entries = new TreeMap<>();
  private final List<List<CatalogChange>> transactions = new ArrayList<>();

  /** What images refer to, as the test says. */
  final Map<String, Set<WorkKey>> treesOf = new HashMap<>();

  /** When images were published, as the test says. */
  final Map<String, Long> publishedAt = new HashMap<>();

  /** Trees that no image refers to any more, as the test says. */
  final Set<WorkKey> abandoned = new LinkedHashSet<>();

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

  FakeRepository copy() {
    FakeRepository copy = new FakeRepository();
    copy.become(this);
    copy.treesOf.putAll(treesOf);
    return copy;
  }

  void clear() {
    entries.clear();
    transactions.clear();
  }

  /** Shows what another one shows. */
  void become(FakeRepository other) {
    clear();
    entries.putAll(other.entries);
    transactions.addAll(other.transactions);
  }

  /** Commits all steps that are not refused, in one transaction. */
  Map<String, Step.Result> commit(List<Step> steps) {
    Map<String, Step.Result> results = new LinkedHashMap<>();
    List<Step> accepted = new ArrayList<>();
    for (Step step : steps) {
      if (Stream.concat(step.trees().stream(), othersOf(step).stream())
          .anyMatch(change -> refused.contains(change.path()))) {
        results.put(step.key(), new Step.Result.Refused("refused by the test"));
      } else {
        accepted.add(step);
      }
    }
    Map<RepositoryPath, CatalogChange> trees = new TreeMap<>();
    accepted.forEach(step -> step.trees().forEach(change -> trees.put(change.path(), change)));
    List<CatalogChange> all = new ArrayList<>(trees.values());
    accepted.forEach(step -> all.addAll(othersOf(step)));
    List<CatalogChange> effective = new ArrayList<>();
    for (CatalogChange change : all) {
      if (change instanceof CatalogChange.Remove) {
        if (entries.keySet().removeIf(path -> path.startsWith(change.path()))) {
          effective.add(change);
        }
      } else if (!same(change, entries.get(change.path()))) {
        entries.put(change.path(), change);
        effective.add(change);
      }
    }
    if (!effective.isEmpty()) {
      transactions.add(List.copyOf(effective));
    }
    for (Step step : accepted) {
      boolean changed =
          Stream.concat(step.trees().stream(), othersOf(step).stream())
              .anyMatch(effective::contains);
      results.put(step.key(), new Step.Result.Shown(revision(), changed));
    }
    return results;
  }

  private static List<CatalogChange> othersOf(Step step) {
    List<CatalogChange> changes = new ArrayList<>(step.changes());
    step.files()
        .forEach(
            file ->
                changes.add(
                    new CatalogChange.PutFile(
                        file.path(), TestEvents.hash(file.bytes()), file.bytes().length)));
    return changes;
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
  public List<String> images(String subject, RemovalRequested.Scope scope) {
    return names().stream()
        .filter(
            name ->
                switch (scope) {
                  case TAG -> name.equals(subject);
                  case IMAGE -> name.startsWith(subject + ":") || name.startsWith(subject + "@");
                  case ALL -> true;
                  case RULE -> Globs.matching(subject).test(name);
                })
        .toList();
  }

  private Set<String> names() {
    Set<String> names = new TreeSet<>();
    for (RepositoryPath path : entries.keySet()) {
      String text = path.toString();
      if (text.startsWith("/.metadata/")
          && !text.startsWith("/.metadata/.multiarch")
          && text.endsWith("/manifest.json")) {
        names.add(
            text.substring("/.metadata/".length(), text.length() - "/manifest.json".length()));
      }
    }
    return names;
  }

  @Override
  public long publishedSeconds(String publicName) {
    return publishedAt.getOrDefault(publicName, 0L);
  }

  @Override
  public Set<WorkKey> abandonedTrees(java.time.Instant asOf) {
    return abandoned;
  }

  @Override
  public List<RepositoryPath> entriesOf(String publicName) {
    return Stream.of(RepositoryLayout.metadata(publicName), RepositoryLayout.publicLink(publicName))
        .filter(this::exists)
        .toList();
  }

  @Override
  public Set<WorkKey> treesOnlyOf(java.util.Collection<String> publicNames) {
    Set<WorkKey> trees = new LinkedHashSet<>();
    publicNames.forEach(name -> trees.addAll(treesOf.getOrDefault(name, Set.of())));
    names().stream()
        .filter(name -> !publicNames.contains(name))
        .forEach(name -> trees.removeAll(treesOf.getOrDefault(name, Set.of())));
    trees.removeIf(tree -> !exists(Removals.folderOf(tree)));
    return trees;
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
