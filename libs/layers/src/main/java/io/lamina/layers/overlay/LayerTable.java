package io.lamina.layers.overlay;

import io.lamina.layers.LayerId;
import io.lamina.layers.LayersException;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Which layers there are and how many lie on each. Guarded by its monitor, under which nothing
 * waits for anything.
 */
final class LayerTable {
  private final Map<LayerId, Layer> layers = new HashMap<>();
  private final Map<LayerId, Integer> children = new HashMap<>();

  /**
   * Takes an id for a layer that is about to be made.
   *
   * @throws LayersException.Conflict if it is taken
   * @throws LayersException.NotFound if the parent was removed
   */
  synchronized void add(Layer layer) {
    if (layers.containsKey(layer.id)) {
      throw new LayersException.Conflict("layer " + layer.id + " exists already");
    }
    Layer parent = layer.parent;
    if (parent != null) {
      if (layers.get(parent.id) != parent || parent.isGone() || parent.record().removed()) {
        throw new LayersException.NotFound("there is no layer " + parent.id + " to lie on");
      }
      children.merge(parent.id, 1, Integer::sum);
    }
    layers.put(layer.id, layer);
  }

  /** Adds one that was found on the disk, on whatever it lies. */
  synchronized void addLoaded(Layer layer) {
    layers.put(layer.id, layer);
    if (layer.parent != null) {
      children.merge(layer.parent.id, 1, Integer::sum);
    }
  }

  /** One that can be worked with. */
  synchronized Optional<Layer> find(LayerId id) {
    return Optional.ofNullable(layers.get(id)).filter(layer -> !layer.record().removed());
  }

  /**
   * Takes a layer out of use; nothing can be laid on it any more.
   *
   * @return whether it can be forgotten; else others lie on it, and it only counts as removed
   */
  synchronized boolean retire(Layer layer) {
    if (children.containsKey(layer.id)) {
      layer.record(layer.record().withRemoval());
      return false;
    }
    layer.markGone();
    return true;
  }

  /**
   * Forgets a layer.
   *
   * @return its parent, if that was removed before and was kept for this layer alone
   */
  synchronized @Nullable Layer forget(Layer layer) {
    if (!layers.remove(layer.id, layer)) {
      return null;
    }
    Layer parent = layer.parent;
    if (parent == null) {
      return null;
    }
    int left = children.getOrDefault(parent.id, 1) - 1;
    if (left > 0) {
      children.put(parent.id, left);
      return null;
    }
    children.remove(parent.id);
    if (!parent.record().removed()) {
      return null;
    }
    parent.markGone();
    return parent;
  }

  /** By id, without those that only wait for their children. */
  synchronized List<Layer> all() {
    List<Layer> all = new ArrayList<>(layers.values());
    all.removeIf(layer -> layer.record().removed());
    all.sort(Comparator.comparing(layer -> layer.id));
    return all;
  }

  /** All that have a record, for quotas. */
  synchronized List<Layer> everything() {
    return List.copyOf(layers.values());
  }
}
