package io.lamina.image.thin;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.lamina.image.Digest;
import io.lamina.image.ImageException;
import io.lamina.image.ImageReference;
import io.lamina.image.LayerDescriptor;
import io.lamina.image.Platform;
import io.lamina.image.ResolvedImage;
import io.lamina.image.policy.ImagePolicy;
import io.lamina.image.registry.Registries;
import io.lamina.image.registry.RegistrySettings;
import io.lamina.image.registry.RegistrySource;
import io.lamina.image.testing.ImageBuilder;
import io.lamina.image.testing.ReferenceRegistry;
import io.lamina.image.testing.TarBuilder.Compression;
import io.lamina.image.testing.TestImage;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ThinImagePusherIT {
  @TempDir Path folder;

  @Test
  void pushesAnImageThatPullsAsAnyOther() {
    ReferenceRegistry.assumeInstalled();
    TestImage original =
        ImageBuilder.oci()
            .layer(Compression.GZIP, tar -> tar.file("a", 0644, "a"))
            .config(config -> config.putArray("Cmd").add("/a"))
            .build();
    List<Digest> layers =
        original.layers().stream().map(LayerDescriptor::blob).map(b -> b.digest()).toList();
    ThinImage thin =
        ThinImageBuilder.build(original.configBytes(), layers, "lamina.test", "docker://x.y/a:1");
    try (ReferenceRegistry registry = ReferenceRegistry.start(folder);
        Registries registries = new Registries(RegistrySettings.DEFAULT)) {
      var target = (ImageReference.Registry) ImageReference.parse(registry.host() + "/thin/app:v1");
      ThinImagePusher pusher = new ThinImagePusher(registries, ImagePolicy.OPEN);

      Digest pushed = pusher.push(thin, target);

      assertThat(registry.manifest("thin/app", "v1")).isEqualTo(thin.manifestBytes());
      ResolvedImage pulled = new RegistrySource(target, registries).resolve(Platform.LINUX_AMD64);
      assertThat(pulled.manifest().digest()).isEqualTo(pushed);
      assertThat(pulled.configBytes()).isEqualTo(thin.configBytes());
      assertThat(pusher.push(thin, target)).isEqualTo(pushed);
      assertThatThrownBy(
              () ->
                  pusher.push(
                      thin,
                      (ImageReference.Registry)
                          ImageReference.parse(registry.host() + "/thin/app@" + pushed)))
          .isInstanceOf(ImageException.Rejected.class)
          .hasMessageContaining("under a tag");
    }
  }

  @Test
  void pushesNowhereWithoutPermission() {
    TestImage original =
        ImageBuilder.oci().layer(Compression.GZIP, tar -> tar.file("a", 0644, "a")).build();
    ThinImage thin =
        ThinImageBuilder.build(
            original.configBytes(),
            List.of(original.layers().getFirst().blob().digest()),
            "lamina.test",
            "docker://x.y/a:1");
    ImagePolicy closed =
        ImagePolicy.of(Optional.empty(), Optional.empty(), Optional.of("reg.example.org/thin/*"));
    try (Registries registries = new Registries(RegistrySettings.DEFAULT)) {
      ThinImagePusher pusher = new ThinImagePusher(registries, closed);

      // Nobody listens there: a request would be another failure.
      assertThatThrownBy(
              () ->
                  pusher.push(
                      thin, (ImageReference.Registry) ImageReference.parse("127.0.0.1:1/thin/a:1")))
          .isInstanceOf(ImageException.Rejected.class)
          .hasMessageContaining("may not be pushed to 127.0.0.1:1/thin/a");
      assertThat(registries.load()).isEmpty();
    }
  }
}
