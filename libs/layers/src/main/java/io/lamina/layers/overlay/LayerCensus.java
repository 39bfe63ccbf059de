package io.lamina.layers.overlay;

import io.lamina.layers.StatusLine;
import java.util.List;
import java.util.SortedSet;
import java.util.TreeSet;

/** How many layers there are of which sort, for people. */
final class LayerCensus {
  private LayerCensus() {}

  static List<StatusLine> of(List<Layer> layers) {
    SortedSet<String> repositories = new TreeSet<>();
    int thin = 0;
    int mounted = 0;
    int broken = 0;
    for (Layer layer : layers) {
      LayerRecord record = layer.record();
      record.folders().forEach(folder -> repositories.add(folder.repository()));
      thin += record.isThin() ? 1 : 0;
      mounted += layer.uses > 0 ? 1 : 0;
      broken += layer.broken ? 1 : 0;
    }
    return List.of(
        new StatusLine("Layers", Integer.toString(layers.size())),
        new StatusLine("Thin Layers", Integer.toString(thin)),
        new StatusLine("Mounted Layers", Integer.toString(mounted)),
        new StatusLine("Layers that lost CVMFS", Integer.toString(broken)),
        new StatusLine("CVMFS Repositories", String.join(" ", repositories)));
  }
}
