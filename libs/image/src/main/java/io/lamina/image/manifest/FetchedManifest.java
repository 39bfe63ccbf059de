package io.lamina.image.manifest;

import io.lamina.image.Descriptor;
import io.lamina.image.Digest;
import java.util.Optional;

/**
 * A manifest's raw bytes, as they came. Immutable; the bytes must not be changed.
 *
 * @param mediaType what the transport called it, if it did
 * @param bytes byte-exact
 * @param digest SHA-256 of the bytes, computed here
 */
public record FetchedManifest(Optional<String> mediaType, byte[] bytes, Digest digest) {
  public static FetchedManifest of(Optional<String> mediaType, byte[] bytes) {
    return new FetchedManifest(mediaType, bytes, Digest.sha256(bytes));
  }

  Descriptor describedAs(String type) {
    return new Descriptor(type, digest, bytes.length);
  }
}
