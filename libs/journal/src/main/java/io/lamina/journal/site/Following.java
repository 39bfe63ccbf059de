package io.lamina.journal.site;

import io.lamina.cvmfs.ContentHash;
import io.lamina.cvmfs.RepositoryPath;
import io.lamina.cvmfs.catalog.CatalogChange;
import io.lamina.cvmfs.catalog.CatalogEntry;
import io.lamina.cvmfs.catalog.Graft;
import io.lamina.image.Descriptor;
import io.lamina.image.ImageException;
import io.lamina.image.manifest.FetchedManifest;
import io.lamina.image.manifest.Manifest;
import io.lamina.image.manifest.ManifestJson;
import io.lamina.journal.replay.MissingObject;
import io.lamina.journal.replay.Needed;
import io.lamina.journal.site.EntryParts.TreeId;
import io.lamina.messaging.event.Event.TransactionPublished;
import io.lamina.repository.RepositoryLayout;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;

/**
 * What this site takes of another's transaction: the images that are selected with all that they
 * need, their objects copied. For one thread.
 *
 * <p>Source: docs/adr/0063-sites-follow-journals.md.
 */
final class Following {
  /** What this site shows of it already, at its newest revision. */
  interface Here {
    Optional<ContentHash> catalogAt(RepositoryPath path);

    boolean exists(RepositoryPath path);
  }

  /** Brings objects here. */
  interface Copy {
    /** Returns what the other site does not have. */
    List<MissingObject> copy(List<Needed> wanted);

    /** What is wrong with a tree that was copied. */
    Optional<String> difference(Graft graft);
  }

  /**
   * What is to be published.
   *
   * @param lost why some of the transaction cannot be
   * @param unselected images that are left out by the selection
   */
  record Outcome(List<CatalogChange> changes, List<String> lost, List<String> unselected) {
    Outcome {
      changes = List.copyOf(changes);
      lost = List.copyOf(lost);
      unselected = List.copyOf(unselected);
    }
  }

  /** The cause in a dead letter is for people. */
  private static final int MAX_REASONS = 20;

  private final SiteSelection selection;
  private final OtherSite other;
  private final Here here;
  private final Copy copy;

  Following(SiteSelection selection, OtherSite other, Here here, Copy copy) {
    this.selection = selection;
    this.other = other;
    this.here = here;
    this.copy = copy;
  }

  Outcome follow(TransactionPublished event) {
    return new Transaction(event).follow();
  }

  /** The trees that an image needs and the bytes that they are worth. */
  private record Needs(Set<TreeId> trees, long sizeBytes) {}

  /** One transaction on its way. */
  private final class Transaction {
    private final TransactionPublished event;
    private final EntryParts parts;
    private final Map<TreeId, Graft> grafts = new LinkedHashMap<>();
    private final Map<String, CatalogChange> diffIds;
    private final Set<CatalogChange> aliases;
    private final List<String> lost = new ArrayList<>();
    private final List<String> unselected = new ArrayList<>();
    private final Map<String, Needs> needs = new HashMap<>();

    Transaction(TransactionPublished event) {
      this.event = event;
      this.parts = EntryParts.of(event.changes());
      this.diffIds = new LinkedHashMap<>(parts.diffIds);
      this.aliases = new LinkedHashSet<>(parts.aliases);
      if (parts.foreign > 0) {
        lose(parts.foreign + " changes are not of this software's layout");
      }
    }

    Outcome follow() {
      Map<String, List<CatalogChange>> images = new LinkedHashMap<>();
      parts.images.forEach((name, changes) -> select(name, changes, images));
      if (selection.isPartial()) {
        if (images.isEmpty()) {
          aliases.clear();
        }
      } else {
        parts.trees.forEach((tree, attach) -> grafts.put(tree, attach.graft()));
      }
      grafts.entrySet().removeIf(tree -> isHere(tree.getValue()));
      Set<TreeId> unavailable = copyTrees();
      Set<String> damaged = copyFiles(images);
      images
          .entrySet()
          .removeIf(
              image ->
                  damaged.contains(image.getKey())
                      || needsAny(image.getKey(), image.getValue(), unavailable));
      grafts.keySet().removeAll(unavailable);
      return new Outcome(changes(images), lost, unselected);
    }

    // ---- selection --------------------------------------------------------------------------

    private void select(
        String name, List<CatalogChange> said, Map<String, List<CatalogChange>> images) {
      if (!selection.includes(name)) {
        unselected.add(name);
        return;
      }
      List<CatalogChange> changes =
          said.stream()
              .filter(c -> selection.followsRemovals() || !(c instanceof CatalogChange.Remove))
              .toList();
      boolean isShown = changes.stream().anyMatch(c -> !(c instanceof CatalogChange.Remove));
      if (!selection.isPartial() || !isShown) {
        keep(name, changes, images);
        return;
      }
      try {
        try (OtherSite.Shown shown = shown()) {
          List<CatalogChange> whole = completed(name, changes, shown);
          Optional<Needs> needed = needsOf(name, whole);
          if (needed.isEmpty()) {
            return;
          }
          Needs known = needed.get();
          if (selection.maxImageBytes().filter(max -> known.sizeBytes() > max).isPresent()) {
            unselected.add(name);
            return;
          }
          for (TreeId tree : known.trees()) {
            need(tree, shown);
          }
          keep(name, whole, images);
        }
      } catch (OtherSite.RevisionGone e) {
        lose(name + ": " + e.getMessage());
      }
    }

    private void keep(
        String name, List<CatalogChange> changes, Map<String, List<CatalogChange>> images) {
      if (!changes.isEmpty()) {
        images.put(name, changes);
      }
    }

    /** The other site as the transaction left it, or as it is now. */
    private OtherSite.Shown shown() {
      OtherSite.Shown then = other.at(event.root());
      try {
        then.lookup(RepositoryLayout.allMetadata());
        return then;
      } catch (OtherSite.RevisionGone e) {
        then.close();
        return other.now().orElseThrow(() -> e);
      }
    }

    /**
     * A transaction says only what it changed. If the image was not followed before, what it has
     * from earlier ones is looked up.
     */
    private List<CatalogChange> completed(
        String name, List<CatalogChange> changes, OtherSite.Shown shown) {
      RepositoryPath manifest = RepositoryLayout.metadata(name).resolve("manifest.json");
      RepositoryPath link = RepositoryLayout.publicLink(name);
      boolean saysAll = puts(changes, manifest) && puts(changes, link);
      if (saysAll || here.exists(manifest)) {
        return changes;
      }
      Map<RepositoryPath, CatalogChange> whole = new LinkedHashMap<>();
      for (RepositoryPath path : shown.pathsOf(name)) {
        shown
            .lookup(path)
            .flatMap(entry -> asChange(path, entry))
            .filter(change -> Place.of(change).equals(new Place.OfImage(name)))
            .ifPresent(change -> whole.put(path, change));
      }
      for (RepositoryPath path : shown.aliases()) {
        shown
            .lookup(path)
            .flatMap(entry -> asChange(path, entry))
            .filter(change -> Place.of(change) instanceof Place.Alias)
            .ifPresent(aliases::add);
      }
      changes.forEach(change -> whole.put(change.path(), change));
      return List.copyOf(whole.values());
    }

    private static boolean puts(List<CatalogChange> changes, RepositoryPath path) {
      return changes.stream()
          .anyMatch(c -> c.path().equals(path) && !(c instanceof CatalogChange.Remove));
    }

    private static Optional<CatalogChange> asChange(RepositoryPath path, CatalogEntry entry) {
      if (entry.isSymlink()) {
        return Optional.of(
            new CatalogChange.PutSymlink(
                path, new String(entry.symlinkTarget(), StandardCharsets.UTF_8)));
      }
      ContentHash hash = entry.hash();
      return entry.isRegular() && hash != null
          ? Optional.of(new CatalogChange.PutFile(path, hash, entry.sizeBytes()))
          : Optional.empty();
    }

    /** A tree that is neither in the transaction nor here comes from an earlier transaction. */
    private void need(TreeId tree, OtherSite.Shown shown) {
      CatalogChange.Attach said = parts.trees.get(tree);
      if (said != null) {
        grafts.put(tree, said.graft());
        return;
      }
      RepositoryPath path = pathOf(tree);
      if (grafts.containsKey(tree) || here.catalogAt(path).isPresent()) {
        return;
      }
      // What the other site does not show either, such as a foreign layer, nobody needs.
      shown.graftAt(path).ifPresent(graft -> grafts.put(tree, graft));
      if (tree.isLayer()) {
        RepositoryPath diffId = RepositoryLayout.layerDiffId(tree.hex());
        shown
            .lookup(diffId)
            .flatMap(entry -> asChange(diffId, entry))
            .filter(change -> Place.of(change) instanceof Place.DiffId)
            .ifPresent(change -> diffIds.put(tree.hex(), change));
      }
    }

    // ---- what an image needs ----------------------------------------------------------------

    /** Empty if its manifests cannot be read; that is noted then. */
    private Optional<Needs> needsOf(String name, List<CatalogChange> changes) {
      Needs known = needs.get(name);
      if (known != null) {
        return Optional.of(known);
      }
      Set<TreeId> trees = new LinkedHashSet<>(EntryParts.flats(changes));
      Map<String, Long> layers = new LinkedHashMap<>();
      for (CatalogChange.PutFile manifest : EntryParts.manifests(changes)) {
        Optional<byte[]> bytes = other.file(manifest.object(), ManifestJson.MAX_BYTES);
        if (bytes.isEmpty()) {
          lose(name + ": " + manifest.path() + " is not there any more");
          return Optional.empty();
        }
        try {
          if (ManifestJson.parse(
                  manifest.path().toString(), FetchedManifest.of(Optional.empty(), bytes.get()))
              instanceof Manifest.Image image) {
            for (Descriptor layer : image.layers()) {
              layers.put(layer.digest().hex(), layer.sizeBytes());
            }
          }
        } catch (ImageException e) {
          lose(name + ": " + e.getMessage());
          return Optional.empty();
        }
      }
      layers.keySet().forEach(hex -> trees.add(new TreeId(true, hex)));
      long size = 0;
      for (long bytes : layers.values()) {
        size = bytes < 0 || size + bytes < size ? Long.MAX_VALUE : size + bytes;
      }
      Needs found = new Needs(trees, size);
      needs.put(name, found);
      return Optional.of(found);
    }

    private boolean needsAny(String name, List<CatalogChange> changes, Set<TreeId> unavailable) {
      if (unavailable.isEmpty()) {
        return false;
      }
      return needsOf(name, changes)
          .map(found -> found.trees().stream().anyMatch(unavailable::contains))
          .orElse(true);
    }

    // ---- copying ----------------------------------------------------------------------------

    private boolean isHere(Graft graft) {
      return here.catalogAt(graft.path()).filter(graft.catalog()::equals).isPresent();
    }

    private Set<TreeId> copyTrees() {
      Map<ContentHash, TreeId> byCatalog = new HashMap<>();
      List<Needed> wanted = new ArrayList<>();
      grafts.forEach(
          (tree, graft) -> {
            byCatalog.put(graft.catalog(), tree);
            Needed.of(new CatalogChange.Attach(graft)).ifPresent(wanted::add);
          });
      Map<TreeId, String> missing = new LinkedHashMap<>();
      for (MissingObject object : copy.copy(wanted)) {
        TreeId tree = byCatalog.get(object.tree());
        if (tree != null) {
          missing.putIfAbsent(tree, object.file() + " is " + object.reason());
        }
      }
      if (!missing.isEmpty()) {
        explain(missing);
      }
      Set<TreeId> unavailable = new LinkedHashSet<>(missing.keySet());
      grafts.forEach(
          (tree, graft) -> {
            Optional<String> difference =
                missing.containsKey(tree) ? Optional.empty() : copy.difference(graft);
            if (difference.isPresent()) {
              lose(
                  graft.path()
                      + ": catalog "
                      + graft.catalog()
                      + " is not as said: "
                      + difference.get());
              unavailable.add(tree);
            }
          });
      return unavailable;
    }

    /** What the other site does not show any more will be gone or replaced by what follows. */
    private void explain(Map<TreeId, String> missing) {
      try (OtherSite.Shown now = other.now().orElse(null)) {
        missing.forEach(
            (tree, reason) -> {
              Graft graft = Objects.requireNonNull(grafts.get(tree));
              boolean isGone =
                  now != null
                      && !now.catalogAt(graft.path()).filter(graft.catalog()::equals).isPresent();
              if (!isGone) {
                lose(graft.path() + ": " + reason);
              }
            });
      } catch (OtherSite.RevisionGone e) {
        missing.forEach((tree, reason) -> lose(pathOf(tree) + ": " + reason));
      }
    }

    /** Images whose own files are nowhere. */
    private Set<String> copyFiles(Map<String, List<CatalogChange>> images) {
      Map<RepositoryPath, String> owners = new HashMap<>();
      List<Needed> wanted = new ArrayList<>();
      images.forEach(
          (name, changes) ->
              changes.forEach(
                  change ->
                      Needed.of(change)
                          .ifPresent(
                              needed -> {
                                owners.put(needed.path(), name);
                                wanted.add(needed);
                              })));
      Set<String> damaged = new LinkedHashSet<>();
      for (MissingObject object : copy.copy(wanted)) {
        String name = owners.get(object.below());
        if (name != null && damaged.add(name)) {
          lose(name + ": " + object.file() + " is " + object.reason());
        }
      }
      return damaged;
    }

    // ---- the result -------------------------------------------------------------------------

    private List<CatalogChange> changes(Map<String, List<CatalogChange>> images) {
      List<CatalogChange> changes = new ArrayList<>();
      grafts.forEach(
          (tree, graft) -> {
            CatalogChange diffId = tree.isLayer() ? diffIds.remove(tree.hex()) : null;
            if (diffId != null) {
              changes.add(diffId);
            }
            changes.add(new CatalogChange.Attach(graft));
          });
      // Of a layer that is here already, which another tool has published.
      diffIds.forEach(
          (hex, change) -> {
            if (here.catalogAt(RepositoryLayout.layer(hex)).isPresent()) {
              changes.add(change);
            }
          });
      images.values().forEach(changes::addAll);
      changes.addAll(aliases);
      return changes;
    }

    private void lose(String reason) {
      if (lost.size() < MAX_REASONS) {
        lost.add(reason);
      }
    }
  }

  private static RepositoryPath pathOf(TreeId tree) {
    return tree.isLayer() ? RepositoryLayout.layer(tree.hex()) : RepositoryLayout.flat(tree.hex());
  }
}
