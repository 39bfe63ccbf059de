package io.lamina.node.graphdriver;

import io.lamina.layers.IdMaps;
import io.lamina.layers.LayerStorage;

/** Opens the layers of an engine. */
@FunctionalInterface
public interface StorageOpener {
  /**
   * @param home as the engine names its set of layers; the same layers for the same name
   * @throws io.lamina.layers.LayersException if layers cannot be kept here
   */
  LayerStorage open(String home, IdMaps ids, EngineOptions options);
}
