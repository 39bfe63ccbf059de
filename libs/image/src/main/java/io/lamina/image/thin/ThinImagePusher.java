package io.lamina.image.thin;

import io.lamina.image.Digest;
import io.lamina.image.ImageException;
import io.lamina.image.ImageReference;
import io.lamina.image.policy.ImagePolicy;
import io.lamina.image.registry.Registries;
import io.lamina.image.registry.RegistryClient;
import java.io.ByteArrayInputStream;
import java.util.Optional;

/** Stores thin images in registries. Thread-safe. */
public final class ThinImagePusher {
  private final Registries registries;
  private final ImagePolicy policy;

  /**
   * @param policy where they may be pushed
   */
  public ThinImagePusher(Registries registries, ImagePolicy policy) {
    this.registries = registries;
    this.policy = policy;
  }

  /**
   * Pushes layer, config and manifest, in this order. Doing it again changes nothing.
   *
   * @param target with a tag
   * @return the manifest's digest
   * @throws ImageException.Rejected if the policy does not allow the target, it has no tag or
   *     another digest, or these credentials may not push
   * @throws ImageException.Retryable if the registry cannot be reached; calling again is safe
   */
  public Digest push(ThinImage image, ImageReference.Registry target) {
    policy.checkThinTarget(target);
    String tag =
        target
            .tag()
            .orElseThrow(
                () ->
                    new ImageException.Rejected(
                        "a thin image is pushed under a tag; " + target.canonical() + " has none"));
    if (target.digest().filter(d -> !d.equals(image.manifest().digest())).isPresent()) {
      throw new ImageException.Rejected(
          "the thin image for "
              + target.canonical()
              + " has another digest: "
              + image.manifest().digest());
    }
    RegistryClient client = registries.client(target);
    client.pushBlob(
        image.layer(), () -> new ByteArrayInputStream(image.layerBytes()), Optional.empty());
    client.pushBlob(
        image.config(), () -> new ByteArrayInputStream(image.configBytes()), Optional.empty());
    return client.pushManifest(tag, image.manifest(), image.manifestBytes());
  }
}
