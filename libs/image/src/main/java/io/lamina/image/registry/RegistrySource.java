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
import io.lamina.image.signature.SignaturePolicy;
import java.io.InputStream;
import java.util.List;
import java.util.Optional;

/** An image in a registry. Thread-safe; closing it closes nothing that others use. */
public final class RegistrySource implements ImageSource, ManifestStore {
  private final ImageReference.Registry reference;
  private final RegistryClient client;
  private final ImageSignatures signatures;

  /** One that need not be signed. */
  public RegistrySource(ImageReference.Registry reference, Registries registries) {
    this(reference, registries, SignaturePolicy.NONE);
  }

  /**
   * @param policy whether it has to be signed; then {@link #resolve} refuses it unless it is
   */
  public RegistrySource(
      ImageReference.Registry reference, Registries registries, SignaturePolicy policy) {
    this.reference = reference;
    this.client = registries.client(reference);
    this.signatures = new ImageSignatures(policy, client);
  }

  @Override
  public Optional<Digest> currentDigest() {
    return client.digest(reference.tagOrDigest());
  }

  @Override
  public ResolvedImage resolve(Platform platform) {
    FetchedManifest top = client.manifest(reference.tagOrDigest());
    ResolvedImage image = ImageResolver.resolve(this, top, platform);
    signatures.require(reference, List.of(top.digest(), image.manifest().digest()));
    return image;
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
