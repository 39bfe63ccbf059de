package io.lamina.journal.site;

import io.lamina.cvmfs.catalog.CatalogChange;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * A transaction's changes by what they are about, in their order. For one thread.
 *
 * <p>Source: docs/protocol/transactions.md, "Layout".
 */
final class EntryParts {
  /** A layer or merged tree, by its digest. */
  record TreeId(boolean isLayer, String hex) {}

  final Map<TreeId, CatalogChange.Attach> trees = new LinkedHashMap<>();
  final Map<String, CatalogChange> diffIds = new LinkedHashMap<>();
  final Map<String, List<CatalogChange>> images = new LinkedHashMap<>();
  final List<CatalogChange> aliases = new ArrayList<>();

  /** How many changes are nothing that this software's layout has. */
  int foreign;

  static EntryParts of(List<CatalogChange> changes) {
    EntryParts parts = new EntryParts();
    changes.forEach(parts::add);
    return parts;
  }

  private void add(CatalogChange change) {
    switch (Place.of(change)) {
      case Place.Layer layer ->
          trees.put(new TreeId(true, layer.hex()), (CatalogChange.Attach) change);
      case Place.Flat flat ->
          trees.put(new TreeId(false, flat.hex()), (CatalogChange.Attach) change);
      case Place.DiffId diffId -> diffIds.put(diffId.hex(), change);
      case Place.OfImage image ->
          images.computeIfAbsent(image.name(), name -> new ArrayList<>()).add(change);
      case Place.Alias _ -> aliases.add(change);
      case Place.Size _, Place.Gone _ -> {}
      case Place.Elsewhere _ -> foreign++;
    }
  }

  /** What an image's manifests are stored as, in the transaction. */
  static List<CatalogChange.PutFile> manifests(List<CatalogChange> ofImage) {
    List<CatalogChange.PutFile> manifests = new ArrayList<>();
    for (CatalogChange change : ofImage) {
      if (change instanceof CatalogChange.PutFile file
          && file.path().toString().endsWith("/manifest.json")) {
        manifests.add(file);
      }
    }
    return manifests;
  }

  /** The merged trees that an image's links lead to. */
  static Set<TreeId> flats(List<CatalogChange> ofImage) {
    Set<TreeId> flats = new LinkedHashSet<>();
    ofImage.forEach(
        change -> Place.flatOf(change).ifPresent(hex -> flats.add(new TreeId(false, hex))));
    return flats;
  }
}
