package io.lamina.image.thin;

import io.lamina.image.Descriptor;
import io.lamina.image.Digest;

/**
 * A thin image as it is pushed. Immutable; the bytes must not be changed.
 *
 * @param diffId of the layer's uncompressed tar
 */
public record ThinImage(
    Descriptor layer,
    byte[] layerBytes,
    Digest diffId,
    Descriptor config,
    byte[] configBytes,
    Descriptor manifest,
    byte[] manifestBytes) {}
