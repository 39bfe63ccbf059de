package io.lamina.image;

import java.util.List;

/**
 * One image for one platform, its manifest and config verified by digest. Immutable; the byte
 * arrays are the registry's own and must not be changed.
 *
 * @param manifest names the bytes of the platform's manifest (never of an index)
 * @param manifestBytes byte-exact
 * @param config the config's descriptor; its digest is the image id
 * @param configBytes byte-exact
 * @param layers bottom first; foreign layers left out
 * @param foreignLayers layers that the registry does not distribute
 */
public record ResolvedImage(
    Platform platform,
    Descriptor manifest,
    byte[] manifestBytes,
    Descriptor config,
    byte[] configBytes,
    List<LayerDescriptor> layers,
    List<Descriptor> foreignLayers) {
  public ResolvedImage {
    layers = List.copyOf(layers);
    foreignLayers = List.copyOf(foreignLayers);
  }
}
