package io.lamina.image.source;

import io.lamina.image.ImageReference;
import io.lamina.image.ImageSource;
import io.lamina.image.ImageSources;
import io.lamina.image.archive.DockerArchiveSource;
import io.lamina.image.archive.OciLayoutSource;
import io.lamina.image.policy.ImagePolicy;
import io.lamina.image.registry.Registries;
import io.lamina.image.registry.RegistrySource;
import io.lamina.image.signature.SignaturePolicy;
import java.nio.file.Path;
import java.util.Optional;

/**
 * Opens references as the settings allow. Thread-safe; the registries belong to the caller, who
 * closes them after the last source.
 */
public final class ConfiguredImageSources implements ImageSources {
  private final Registries registries;
  private final LocalAccess localAccess;
  private final ImagePolicy policy;
  private final SignaturePolicy signatures;

  public ConfiguredImageSources(
      Registries registries, LocalAccess localAccess, ImagePolicy policy) {
    this(registries, localAccess, policy, SignaturePolicy.NONE);
  }

  public ConfiguredImageSources(
      Registries registries,
      LocalAccess localAccess,
      ImagePolicy policy,
      SignaturePolicy signatures) {
    this.registries = registries;
    this.localAccess = localAccess;
    this.policy = policy;
    this.signatures = signatures;
  }

  @Override
  public ImageSource open(ImageReference reference) {
    return switch (reference) {
      case ImageReference.Registry registry -> {
        policy.checkSource(registry);
        yield new RegistrySource(registry, registries, signatures);
      }
      case ImageReference.OciLayout(Path folder, Optional<String> ref) ->
          OciLayoutSource.folder(localAccess.check(folder), ref);
      case ImageReference.OciArchive(Path file, Optional<String> ref) ->
          OciLayoutSource.archive(localAccess.check(file), ref);
      case ImageReference.DockerArchive(Path file, Optional<String> ref) ->
          DockerArchiveSource.open(localAccess.check(file), ref);
    };
  }
}
