package io.lamina.image.registry;

import io.lamina.image.Descriptor;
import io.lamina.image.Digest;
import io.lamina.image.ImageReference;
import io.lamina.image.ImageSource;
import io.lamina.image.Platform;
import io.lamina.image.ResolvedImage;
import io.lamina.image.manifest.FetchedManifest;
import io.lamina.image.manifest.ImageConfig;
import io.lamina.image.manifest.ImageResolver;
import io.lamina.image.manifest.ManifestStore;
import java.io.InputStream;
import java.util.Optional;

/** An image in a registry. Thread-safe; closing it closes nothing that others use. */
public final class RegistrySource implements ImageSource, ManifestStore {
  private final ImageReference.Registry reference;
  private final RegistryClient client;

  public RegistrySource(ImageReference.Registry reference, Registries registries) {
    this.reference = reference;
    this.client = registries.client(reference);
  }

  @Override
  public Optional<Digest> currentDigest() {
    return client.digest(reference.tagOrDigest());
  }

  @Override
  public ResolvedImage resolve(Platform platform) {
    return ImageResolver.resolve(this, client.manifest(reference.tagOrDigest()), platform);
  }

  @Override
  public InputStream openBlob(Descriptor blob) {
    return client.openBlob(blob);
  }

  @Override
  public FetchedManifest manifest(Descriptor descriptor) {
    return client.manifest(descriptor.digest().toString());
  }

  @Override
  public byte[] config(Descriptor descriptor) {
    return client.readBlob(descriptor, ImageConfig.MAX_BYTES);
  }

  @Override
  public String where() {
    return reference.canonical();
  }

  @Override
  public void close() {
    // Connections belong to the registries as a whole.
  }
}
