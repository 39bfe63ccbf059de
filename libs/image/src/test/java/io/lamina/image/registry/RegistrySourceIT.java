package io.lamina.image.registry;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.lamina.image.Descriptor;
import io.lamina.image.Digest;
import io.lamina.image.ImageException;
import io.lamina.image.ImageReference;
import io.lamina.image.LayerDescriptor;
import io.lamina.image.Platform;
import io.lamina.image.ResolvedImage;
import io.lamina.image.testing.ImageBuilder;
import io.lamina.image.testing.ReferenceRegistry;
import io.lamina.image.testing.TarBuilder.Compression;
import io.lamina.image.testing.TestImage;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Against the reference registry, open to all. */
class RegistrySourceIT {
  private static final Platform ARM64 = Platform.parse("linux/arm64/v8");

  @TempDir static Path folder;
  private static ReferenceRegistry registry;
  private static Registries registries;

  @BeforeAll
  static void start() {
    ReferenceRegistry.assumeInstalled();
    registry = ReferenceRegistry.start(folder);
    registries = new Registries(RegistrySettings.DEFAULT);
  }

  @AfterAll
  static void stop() {
    if (registry != null) {
      registries.close();
      registry.close();
    }
  }

  @Test
  void pullsAnImageByteExactly() throws IOException {
    byte[] random = new byte[3_000_000];
    new Random(7).nextBytes(random);
    TestImage image =
        ImageBuilder.docker()
            .layer(Compression.GZIP, tar -> tar.file("etc/motd", 0644, "hello"))
            .layer(Compression.PLAIN, tar -> tar.file("big", 0644, random))
            .layer(Compression.ZSTD, tar -> tar.whiteout("etc/motd"))
            .build();
    registry.push("team/app", "v1", image);

    RegistrySource source = source("team/app:v1");
    ResolvedImage resolved = source.resolve(Platform.LINUX_AMD64);

    assertThat(resolved.manifestBytes()).isEqualTo(image.manifestBytes());
    assertThat(resolved.configBytes()).isEqualTo(image.configBytes());
    assertThat(resolved.layers()).isEqualTo(image.layers());
    for (LayerDescriptor layer : resolved.layers()) {
      try (InputStream in = source.openBlob(layer.blob())) {
        assertThat(in.readAllBytes()).isEqualTo(image.blob(layer.blob().digest()));
      }
    }
    assertThat(registries.load())
        .containsEntry(
            registry.host(),
            new RegistryLoad(0, RegistrySettings.DEFAULT.requestsPerRegistry(), 0));
  }

  @Test
  void pullsAPlatformOfAnIndexByTagAndByDigest() {
    TestImage amd = image(Platform.LINUX_AMD64);
    TestImage arm = image(ARM64);
    TestImage index = ImageBuilder.index(amd, arm);
    registry.push("team/multi", "latest", index);

    assertThat(source("team/multi").resolve(ARM64).manifest()).isEqualTo(arm.manifest());
    assertThat(
            source("team/multi@" + index.manifest().digest())
                .resolve(Platform.LINUX_AMD64)
                .manifest())
        .isEqualTo(amd.manifest());
    assertThat(source("team/multi@" + arm.manifest().digest()).resolve(ARM64).manifest())
        .isEqualTo(arm.manifest());
  }

  @ParameterizedTest
  @ValueSource(strings = {"team/none:v1", "team/app-without-tag:none"})
  void saysWhatIsMissing(String name) {
    registry.push("team/app-without-tag", "v1", image(Platform.LINUX_AMD64));

    assertThatThrownBy(() -> source(name).resolve(Platform.LINUX_AMD64))
        .isInstanceOf(ImageException.NotFound.class)
        .hasMessageContaining(name.replace(":", ": manifest "))
        .hasMessageContaining("status 404 (");
  }

  @Test
  void tellsTheDigestOfATagWithoutPulling() {
    TestImage image = image(Platform.LINUX_AMD64);
    registry.push("team/digest", "v1", image);

    RegistryClient client = client("team/digest");

    assertThat(client.digest("v1")).contains(image.manifest().digest());
    assertThat(client.digest("v2")).isEmpty();
    assertThat(source("team/digest:v1").currentDigest()).contains(image.manifest().digest());
    assertThat(source("team/digest:v2").currentDigest()).isEmpty();
  }

  @Test
  void listsAllTags() {
    TestImage image = image(Platform.LINUX_AMD64);
    registry.push("team/tags", "t0", image);
    RegistryClient client = client("team/tags");
    List<String> tags = IntStream.range(0, 30).mapToObj(i -> "t" + i).toList();
    tags.forEach(tag -> client.pushManifest(tag, image.manifest(), image.manifestBytes()));

    assertThat(client.tags()).containsExactlyInAnyOrderElementsOf(tags);
  }

  @Test
  void pushesBlobsOnceAndMountsThemFromElsewhere() {
    byte[] content = "some layer".getBytes(StandardCharsets.UTF_8);
    Descriptor blob = new Descriptor("x", Digest.sha256(content), content.length);
    RegistryClient one = client("push/one");
    RegistryClient two = client("push/two");

    assertThat(one.hasBlob(blob.digest())).isFalse();
    assertThat(one.pushBlob(blob, () -> new ByteArrayInputStream(content), Optional.empty()))
        .isTrue();
    assertThat(one.hasBlob(blob.digest())).isTrue();
    assertThat(
            one.pushBlob(
                blob,
                () -> {
                  throw new AssertionError("read again");
                },
                Optional.empty()))
        .isFalse();
    assertThat(
            two.pushBlob(
                blob,
                () -> {
                  throw new AssertionError("not mounted");
                },
                Optional.of("push/one")))
        .isFalse();
    assertThat(two.readBlob(blob, 100)).isEqualTo(content);
  }

  @Test
  void refusesToReadABlobThatIsLongerThanAllowed() {
    Descriptor blob = new Descriptor("x", Digest.sha256(new byte[0]), 101);

    assertThatThrownBy(() -> client("push/one").readBlob(blob, 100))
        .isInstanceOf(ImageException.Rejected.class)
        .hasMessageContaining("the limit is 100");
  }

  @Test
  void noticesAManifestThatPromisesAnotherSize() {
    TestImage image = image(Platform.LINUX_AMD64);
    registry.push("team/size", "v1", image);
    Descriptor layer = image.layers().getFirst().blob();
    Descriptor wrong = new Descriptor(layer.mediaType(), layer.digest(), layer.sizeBytes() + 1);

    assertThatThrownBy(() -> client("team/size").openBlob(wrong))
        .isInstanceOf(ImageException.Corrupt.class)
        .hasMessageContaining("the manifest says " + wrong.sizeBytes());
  }

  private static TestImage image(Platform platform) {
    return ImageBuilder.oci()
        .platform(platform)
        .layer(Compression.GZIP, tar -> tar.file("platform", 0644, platform.toString()))
        .build();
  }

  private static RegistrySource source(String name) {
    return new RegistrySource(reference(name), registries);
  }

  private static RegistryClient client(String repository) {
    return registries.client(reference(repository));
  }

  private static ImageReference.Registry reference(String name) {
    return (ImageReference.Registry) ImageReference.parse(registry.host() + "/" + name);
  }
}
