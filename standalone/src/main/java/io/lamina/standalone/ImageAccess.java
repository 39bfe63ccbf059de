package io.lamina.standalone;

import io.lamina.image.ImageReference;
import io.lamina.image.ImageSource;
import io.lamina.image.ImageSources;
import io.lamina.image.policy.ImagePolicy;
import io.lamina.image.registry.Registries;
import io.lamina.image.registry.RegistrySettings;
import io.lamina.image.signature.SignaturePolicy;
import io.lamina.image.source.ConfiguredImageSources;
import io.lamina.image.source.LocalAccess;
import java.util.Map;

/** Opens images and owns the connections to their registries. Thread-safe; close it. */
public final class ImageAccess implements ImageSources, AutoCloseable {
  private final Registries registries;
  private final ConfiguredImageSources sources;

  public ImageAccess(RegistrySettings settings, LocalAccess local, ImagePolicy policy) {
    this(settings, local, policy, SignaturePolicy.NONE);
  }

  public ImageAccess(
      RegistrySettings settings,
      LocalAccess local,
      ImagePolicy policy,
      SignaturePolicy signatures) {
    this.registries = new Registries(settings);
    this.sources = new ConfiguredImageSources(registries, local, policy, signatures);
  }

  /** As the person who runs this process may: their registries' credentials, all of their files. */
  public static ImageAccess asThisUser(Map<String, String> environment) {
    return new ImageAccess(
        RegistrySettings.fromEnvironment(environment), LocalAccess.EVERYWHERE, ImagePolicy.OPEN);
  }

  public Registries registries() {
    return registries;
  }

  @Override
  public ImageSource open(ImageReference reference) {
    return sources.open(reference);
  }

  @Override
  public void close() {
    registries.close();
  }
}
