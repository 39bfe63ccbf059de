package io.lamina.layers.overlay;

import io.lamina.layers.LayerId;
import io.lamina.layers.LayersException;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.SequencedSet;
import java.util.SortedSet;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/**
 * What lies below a layer, the topmost first. A thin layer stands for the folders that it names, on
 * top of its parent; its descriptor is no part of it. A folder that is named again further down
 * shows nothing there, so it is left out, as the kernel takes none twice.
 *
 * <p>Source: docs/layers.md, "Stacking".
 */
final class LayerStack {
  private static final int MAX_PARENTS = 100_000;

  private LayerStack() {}

  /** What a layer's content is, without its parents; the topmost first. */
  static List<Lower> own(LayerRecord record) {
    List<Lower> own = new ArrayList<>();
    if (record.ownFiles()) {
      own.add(new Lower.Own(record.id()));
    }
    record.folders().reversed().forEach(folder -> own.add(new Lower.Folder(folder)));
    return own;
  }

  /** What the layer's archive has brought, its descriptor included; the topmost first. */
  static List<Lower> local(LayerRecord record) {
    List<Lower> local = new ArrayList<>();
    if (record.isThin()) {
      local.add(new Lower.Descriptor(record.id()));
    }
    if (record.ownFiles()) {
      local.add(new Lower.Own(record.id()));
    }
    return local;
  }

  /** What shows below a layer. */
  static List<Lower> below(Layer layer) {
    Layer parent = layer.parent;
    return layer.record().opaqueRoot() || parent == null ? List.of() : from(parent);
  }

  /** A layer's content and what shows below it. */
  static List<Lower> from(Layer top) {
    SequencedSet<Lower> lowers = new LinkedHashSet<>();
    Layer layer = top;
    for (int i = 0; layer != null; i++) {
      checkHeight(i, top.id);
      lowers.addAll(own(layer.record()));
      layer = layer.record().opaqueRoot() ? null : layer.parent;
    }
    return List.copyOf(lowers);
  }

  /**
   * The layers from this one down to the one right above {@code ancestor}.
   *
   * @param ancestor null for all
   * @throws LayersException.NotFound if it is not below this layer
   */
  static List<Layer> above(@Nullable LayerId ancestor, Layer top) {
    List<Layer> span = new ArrayList<>();
    Layer layer = top;
    while (layer != null && !layer.id.equals(ancestor)) {
      checkHeight(span.size(), top.id);
      span.add(layer);
      layer = layer.parent;
    }
    if (ancestor != null && (layer == null || span.isEmpty())) {
      throw new LayersException.NotFound("layer " + ancestor + " is not below layer " + top.id);
    }
    return span;
  }

  private static void checkHeight(int height, LayerId top) {
    if (height > MAX_PARENTS) {
      throw new LayersException.Failed("the layers below " + top + " have no end");
    }
  }

  /** Whether a layer, or one below it, is thin. */
  static boolean hasThin(Layer top) {
    Layer layer = top;
    for (int i = 0; layer != null; i++) {
      checkHeight(i, top.id);
      if (layer.record().isThin()) {
        return true;
      }
      layer = layer.parent;
    }
    return false;
  }

  /** The repositories that a layer and all below it name. */
  static SortedSet<String> repositories(Layer top) {
    SortedSet<String> repositories = new TreeSet<>();
    Layer layer = top;
    for (int i = 0; layer != null; i++) {
      checkHeight(i, top.id);
      layer.record().folders().forEach(folder -> repositories.add(folder.repository()));
      layer = layer.parent;
    }
    return repositories;
  }
}
