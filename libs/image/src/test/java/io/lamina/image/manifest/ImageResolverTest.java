package io.lamina.image.manifest;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.lamina.image.Descriptor;
import io.lamina.image.Digest;
import io.lamina.image.ImageException;
import io.lamina.image.Platform;
import io.lamina.image.ResolvedImage;
import io.lamina.image.testing.ImageBuilder;
import io.lamina.image.testing.TarBuilder.Compression;
import io.lamina.image.testing.TestImage;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ImageResolverTest {
  private static final Platform ARM64 = Platform.parse("linux/arm64");

  @Test
  void returnsTheExactBytesAndMatchesLayersWithDiffIds() {
    TestImage image = image(Platform.LINUX_AMD64);

    ResolvedImage resolved = resolve(image, Platform.LINUX_AMD64);

    assertThat(resolved.manifest()).isEqualTo(image.manifest());
    assertThat(resolved.manifestBytes()).isEqualTo(image.manifestBytes());
    assertThat(resolved.configBytes()).isEqualTo(image.configBytes());
    assertThat(resolved.config().digest()).isEqualTo(image.configDigest());
    assertThat(resolved.layers()).isEqualTo(image.layers());
    assertThat(resolved.platform()).isEqualTo(Platform.LINUX_AMD64);
  }

  @Test
  void picksThePlatformOfAnIndexAndSkipsAttestations() {
    TestImage amd = image(Platform.LINUX_AMD64);
    TestImage arm = image(ARM64);
    TestImage index =
        ImageBuilder.index(
            json -> {
              ObjectNode attestation = ((ObjectNode) json.path("manifests").get(0)).deepCopy();
              attestation.putObject("platform").put("os", "unknown").put("architecture", "unknown");
              attestation
                  .putObject("annotations")
                  .put("vnd.docker.reference.type", "attestation-manifest");
              ((com.fasterxml.jackson.databind.node.ArrayNode) json.path("manifests"))
                  .insert(0, attestation);
            },
            amd,
            arm);

    assertThat(resolve(index, ARM64).manifest()).isEqualTo(arm.manifest());
    assertThat(resolve(index, Platform.LINUX_AMD64).manifest()).isEqualTo(amd.manifest());
  }

  @Test
  void namesThePlatformsThatAreThere() {
    TestImage index = ImageBuilder.index(image(Platform.LINUX_AMD64), image(ARM64));

    assertThatThrownBy(() -> resolve(index, Platform.parse("linux/s390x")))
        .isInstanceOf(ImageException.NotFound.class)
        .hasMessage("test/image has no image for linux/s390x; there are: linux/amd64, linux/arm64");
  }

  @Test
  void refusesASingleImageOfAnotherPlatform() {
    assertThatThrownBy(() -> resolve(image(ARM64), Platform.LINUX_AMD64))
        .isInstanceOf(ImageException.NotFound.class)
        .hasMessageContaining("is a single image for linux/arm64, not for linux/amd64");
  }

  @Test
  void readsConfigsOfEntriesWithoutAPlatform() {
    TestImage arm = image(ARM64);
    TestImage index =
        ImageBuilder.index(
            json -> json.path("manifests").forEach(e -> ((ObjectNode) e).remove("platform")),
            image(Platform.LINUX_AMD64),
            arm);

    assertThat(resolve(index, ARM64).manifest()).isEqualTo(arm.manifest());
    assertThatThrownBy(() -> resolve(index, Platform.parse("linux/s390x")))
        .hasMessageContaining("linux/amd64, linux/arm64");
  }

  @Test
  void followsNestedIndexesToABound() {
    TestImage image = image(Platform.LINUX_AMD64);
    TestImage third = ImageBuilder.index(ImageBuilder.index(ImageBuilder.index(image)));
    TestImage fourth = ImageBuilder.index(third);

    assertThat(resolve(third, Platform.LINUX_AMD64).manifest()).isEqualTo(image.manifest());
    assertThatThrownBy(() -> resolve(fourth, Platform.LINUX_AMD64))
        .isInstanceOf(ImageException.Rejected.class)
        .hasMessageContaining("nested deeper than 3");
  }

  @Test
  void keepsForeignLayersApartWithoutShiftingDiffIds() {
    byte[] foreign = "foreign".getBytes(UTF_8);
    TestImage image =
        ImageBuilder.docker()
            .layer(
                "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip",
                foreign,
                Digest.sha256("other".getBytes(UTF_8)))
            .layer(Compression.GZIP, tar -> tar.file("a", 0644, "a"))
            .build();

    ResolvedImage resolved = resolve(image, Platform.LINUX_AMD64);

    assertThat(resolved.layers()).containsExactly(image.layers().get(1));
    assertThat(resolved.foreignLayers())
        .extracting(Descriptor::digest)
        .containsExactly(Digest.sha256(foreign));
  }

  @Test
  void refusesWhenLayersAndDiffIdsDoNotMatch() {
    TestImage image =
        ImageBuilder.oci()
            .layer(Compression.GZIP, tar -> tar.file("a", 0644, "a"))
            .wholeConfig(c -> ((ObjectNode) c.path("rootfs")).putArray("diff_ids"))
            .build();

    assertThatThrownBy(() -> resolve(image, Platform.LINUX_AMD64))
        .isInstanceOf(ImageException.Rejected.class)
        .hasMessageContaining("has 1 layers but the config has 0 diff ids");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "application/vnd.oci.image.layer.v1.tar+gzip+encrypted",
        "application/vnd.oci.image.layer.v1.tar+bzip2",
        "text/plain",
        ""
      })
  void refusesLayersOfUnknownTypes(String type) {
    TestImage image =
        ImageBuilder.oci().layer(type, new byte[1], Digest.sha256(new byte[1])).build();

    assertThatThrownBy(() -> resolve(image, Platform.LINUX_AMD64))
        .isInstanceOf(ImageException.Rejected.class)
        .hasMessageContaining("layer 0 is of the unknown type");
  }

  @Test
  void refusesArtifactsThatAreNoImages() {
    TestImage image =
        ImageBuilder.oci()
            .wholeManifest(
                m ->
                    ((ObjectNode) m.path("config"))
                        .put("mediaType", "application/vnd.cncf.helm.config.v1+json"))
            .build();

    assertThatThrownBy(() -> resolve(image, Platform.LINUX_AMD64))
        .isInstanceOf(ImageException.Rejected.class)
        .hasMessageContaining("not a container image")
        .hasMessageContaining("helm");
  }

  @Test
  void noticesDocumentsThatAreNotWhatTheirDigestSays() {
    TestImage image = image(Platform.LINUX_AMD64);
    image.blobs().put(image.configDigest(), "{}".getBytes(UTF_8));

    assertThatThrownBy(() -> resolve(image, Platform.LINUX_AMD64))
        .isInstanceOf(ImageException.Corrupt.class)
        .hasMessageContaining("config " + image.configDigest());

    TestImage child = image(ARM64);
    TestImage index = ImageBuilder.index(child);
    index.blobs().put(child.manifest().digest(), "{}".getBytes(UTF_8));

    assertThatThrownBy(() -> resolve(index, ARM64)).isInstanceOf(ImageException.Corrupt.class);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "[]",
        "null",
        "{",
        "{}",
        "{\"manifests\":[]} x",
        "{\"manifests\":[],\"layers\":[]}",
        "{\"manifests\":[],\"manifests\":[]}",
        "{\"manifests\":{}}",
        "{\"manifests\":[{}]}",
        "{\"manifests\":[{\"digest\":\"sha256:1\",\"size\":1}]}",
        "{\"config\":{},\"layers\":[]}",
        "{\"schemaVersion\":1,\"manifests\":[]}",
        "{\"mediaType\":\"text/plain\",\"manifests\":[]}",
        "{\"mediaType\":\"application/vnd.oci.image.manifest.v1+json\",\"manifests\":[]}",
        "{\"manifests\":[{\"digest\":"
            + "\"sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef\","
            + "\"size\":-1}]}",
        "{\"manifests\":[{\"digest\":"
            + "\"sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef\","
            + "\"size\":99999999999999999999}]}",
      })
  void refusesMalformedManifests(String json) {
    assertThatThrownBy(
            () ->
                ManifestJson.parse(
                    "test", FetchedManifest.of(Optional.empty(), json.getBytes(UTF_8))))
        .isInstanceOf(ImageException.Rejected.class)
        .hasMessageContaining("manifest sha256:");
  }

  @Test
  void refusesAManifestThatContradictsItsContentType() {
    TestImage image = image(Platform.LINUX_AMD64);

    assertThatThrownBy(
            () ->
                ManifestJson.parse(
                    "test",
                    FetchedManifest.of(
                        Optional.of(MediaTypes.DOCKER_MANIFEST), image.manifestBytes())))
        .isInstanceOf(ImageException.Rejected.class)
        .hasMessageContaining("calls itself");
  }

  @Test
  void saysWhatToDoAboutSchema1() {
    assertThatThrownBy(
            () ->
                ManifestJson.parse(
                    "test",
                    FetchedManifest.of(
                        Optional.of("application/vnd.docker.distribution.manifest.v1+prettyjws"),
                        "{\"schemaVersion\":1}".getBytes(UTF_8))))
        .hasMessageContaining("schema 1")
        .hasMessageContaining("push the image again");
  }

  @Test
  void boundsNesting() {
    String deep = "{\"a\":" + "[".repeat(5000) + "]".repeat(5000) + "}";

    assertThatThrownBy(
            () ->
                ManifestJson.parse(
                    "test", FetchedManifest.of(Optional.empty(), deep.getBytes(UTF_8))))
        .isInstanceOf(ImageException.Rejected.class);
  }

  private static TestImage image(Platform platform) {
    return ImageBuilder.oci()
        .platform(platform)
        .layer(Compression.GZIP, tar -> tar.file("etc/platform", 0644, platform.toString()))
        .layer(Compression.ZSTD, tar -> tar.file("b", 0644, "b"))
        .layer(Compression.PLAIN, tar -> tar.file("c", 0644, "c"))
        .build();
  }

  private static ResolvedImage resolve(TestImage image, Platform platform) {
    ManifestStore store =
        new ManifestStore() {
          @Override
          public FetchedManifest manifest(Descriptor descriptor) {
            return FetchedManifest.of(
                Optional.of(descriptor.mediaType()), image.blob(descriptor.digest()));
          }

          @Override
          public byte[] config(Descriptor descriptor) {
            return image.blob(descriptor.digest());
          }

          @Override
          public String where() {
            return "test/image";
          }
        };
    return ImageResolver.resolve(
        store,
        FetchedManifest.of(Optional.of(image.manifest().mediaType()), image.manifestBytes()),
        platform);
  }
}
