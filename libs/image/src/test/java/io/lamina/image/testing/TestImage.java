package io.lamina.image.testing;

import io.lamina.image.Descriptor;
import io.lamina.image.Digest;
import io.lamina.image.LayerDescriptor;
import io.lamina.image.Platform;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * A finished image or index with all of its blobs.
 *
 * @param manifest of the image's manifest, or of the index
 * @param platforms the images of an index; for one image, only itself is meant and this is empty
 * @param layers bottom first; none for an index
 * @param blobs all but the manifest: config, layers, and what an index lists
 */
public record TestImage(
    Descriptor manifest,
    byte[] manifestBytes,
    byte[] configBytes,
    Platform platform,
    List<LayerDescriptor> layers,
    List<TestImage> platforms,
    Map<Digest, byte[]> blobs) {
  public TestImage {
    layers = List.copyOf(layers);
    platforms = List.copyOf(platforms);
    blobs = new LinkedHashMap<>(blobs);
  }

  /** The image id. */
  public Digest configDigest() {
    return Digest.sha256(configBytes);
  }

  public byte[] blob(Digest digest) {
    byte[] bytes = blobs.get(digest);
    if (bytes == null) {
      throw new IllegalArgumentException("no blob " + digest);
    }
    return bytes;
  }

  /** All documents that are pushed as manifests, deepest first; the last one is this itself. */
  public Map<Descriptor, byte[]> manifests() {
    Map<Descriptor, byte[]> all = new LinkedHashMap<>();
    platforms.forEach(image -> all.putAll(image.manifests()));
    all.put(manifest, manifestBytes);
    return all;
  }
}
