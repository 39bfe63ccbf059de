package io.lamina.messaging.event;

import io.lamina.image.Digest;
import io.lamina.image.LayerDescriptor;
import io.lamina.image.Platform;
import java.util.List;

/**
 * An image for one platform. Immutable.
 *
 * @param imageId digest of the config
 * @param manifest the registry's own bytes, stored
 * @param config the registry's own bytes, stored
 * @param layers bottom first
 * @param foreignLayers digests of layers that are not distributed and therefore left out
 */
public record PlannedPlatform(
    Platform platform,
    Digest manifestDigest,
    StoredFile manifest,
    Digest imageId,
    StoredFile config,
    List<LayerDescriptor> layers,
    List<Digest> foreignLayers) {
  public PlannedPlatform {
    layers = List.copyOf(layers);
    foreignLayers = List.copyOf(foreignLayers);
  }
}
