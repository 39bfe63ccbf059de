package io.lamina.image.manifest;

import io.lamina.image.Descriptor;

/** Where an image's small documents come from. Digests and sizes are verified by the caller. */
public interface ManifestStore {
  /** The manifest or index of this digest, at most {@link ManifestJson#MAX_BYTES}. */
  FetchedManifest manifest(Descriptor descriptor);

  /** The config of this digest, at most {@link ImageConfig#MAX_BYTES}. */
  byte[] config(Descriptor descriptor);

  /** The place for messages, such as {@code quay.io/a/b:1}. */
  String where();
}
