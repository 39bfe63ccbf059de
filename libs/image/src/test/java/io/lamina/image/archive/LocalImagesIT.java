package io.lamina.image.archive;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.lamina.image.Digest;
import io.lamina.image.ImageException;
import io.lamina.image.ImageReference;
import io.lamina.image.ImageSource;
import io.lamina.image.LayerDescriptor;
import io.lamina.image.Platform;
import io.lamina.image.ResolvedImage;
import io.lamina.image.manifest.MediaTypes;
import io.lamina.image.policy.ImagePolicy;
import io.lamina.image.registry.Registries;
import io.lamina.image.registry.RegistrySettings;
import io.lamina.image.source.ConfiguredImageSources;
import io.lamina.image.source.LocalAccess;
import io.lamina.image.testing.ImageBuilder;
import io.lamina.image.testing.ImageFiles;
import io.lamina.image.testing.TarBuilder;
import io.lamina.image.testing.TarBuilder.Compression;
import io.lamina.image.testing.TestImage;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.zip.GZIPOutputStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Folders and archives, opened as users name them. */
class LocalImagesIT {
  private static final Platform ARM64 = Platform.parse("linux/arm64");

  @TempDir Path folder;
  private Registries registries;

  @BeforeEach
  void start() {
    registries = new Registries(RegistrySettings.DEFAULT);
  }

  @AfterEach
  void stop() {
    registries.close();
  }

  @ParameterizedTest
  @ValueSource(strings = {"oci", "oci-archive", "docker-archive"})
  void readsAnImageByteExactlyFromALayout(String transport) throws IOException {
    TestImage image = image("a", Compression.GZIP);
    write(transport, Map.of("app:v1", image));

    ResolvedImage resolved = resolveAll(transport + ":" + folder.resolve("it"));

    assertThat(resolved.manifestBytes()).isEqualTo(image.manifestBytes());
    assertThat(resolved.configBytes()).isEqualTo(image.configBytes());
    assertThat(resolved.layers()).isEqualTo(image.layers());
  }

  @ParameterizedTest
  @ValueSource(strings = {"oci", "oci-archive", "docker-archive"})
  void choosesByRefAndListsTheRefsThatAreThere(String transport) throws IOException {
    TestImage one = image("one", Compression.GZIP);
    TestImage two = image("two", Compression.ZSTD);
    Map<String, TestImage> images = new LinkedHashMap<>();
    images.put("app:1", one);
    images.put("app:2", two);
    write(transport, images);
    String place = transport + ":" + folder.resolve("it");

    assertThat(resolveAll(place + ":app:2").manifest()).isEqualTo(two.manifest());
    assertThatThrownBy(() -> resolveAll(place))
        .isInstanceOf(ImageException.NotFound.class)
        .hasMessageContaining("several images")
        .hasMessageContaining("app:1")
        .hasMessageContaining("app:2");
    assertThatThrownBy(() -> resolveAll(place + ":app:3"))
        .isInstanceOf(ImageException.NotFound.class)
        .hasMessageContaining("no image 'app:3'")
        .hasMessageContaining("app:1");
  }

  @Test
  void findsAnImageOfADockerArchiveByItsShortName() throws IOException {
    TestImage image = image("one", Compression.GZIP);
    write("docker-archive", Map.of("app:latest", image));
    String place = "docker-archive:" + folder.resolve("it");

    assertThat(resolveAll(place + ":app").manifest()).isEqualTo(image.manifest());
    assertThat(resolveAll(place + ":docker.io/library/app:latest").manifest())
        .isEqualTo(image.manifest());
  }

  @Test
  void readsAPlatformOfALayoutWithAnIndex() throws IOException {
    TestImage arm = ImageBuilder.oci().platform(ARM64).build();
    TestImage index = ImageBuilder.index(image("x", Compression.GZIP), arm);
    write("oci", Map.of("v1", index));

    try (ImageSource source = open("oci:" + folder.resolve("it") + ":v1")) {
      assertThat(source.resolve(ARM64).manifest()).isEqualTo(arm.manifest());
      assertThatThrownBy(() -> source.resolve(Platform.parse("linux/s390x")))
          .hasMessageContaining("there are: linux/amd64, linux/arm64");
    }
  }

  @Test
  void readsUnnamedImagesOfSeveralPlatformsAsOne() throws IOException {
    TestImage arm = ImageBuilder.oci().platform(ARM64).build();
    TestImage amd = image("x", Compression.GZIP);
    write("oci", Map.of("", amd));
    byte[] index = ImageBuilder.index(arm, amd).manifestBytes();
    Path layout = folder.resolve("it");
    Files.write(layout.resolve("index.json"), index);
    Files.write(
        layout.resolve("blobs/sha256/" + arm.manifest().digest().hex()), arm.manifestBytes());
    Files.write(layout.resolve("blobs/sha256/" + arm.configDigest().hex()), arm.configBytes());

    try (ImageSource source = open("oci:" + layout)) {
      assertThat(source.resolve(ARM64).manifest()).isEqualTo(arm.manifest());
      assertThat(source.resolve(Platform.LINUX_AMD64).manifest()).isEqualTo(amd.manifest());
    }
  }

  @Test
  void readsLegacyDockerArchivesWithRepeatedLayersAsLinks() throws IOException {
    byte[] shared = new TarBuilder().file("shared", 0644, "shared").toBytes();
    TestImage image =
        ImageBuilder.docker()
            .layer(Compression.PLAIN, shared)
            .layer(Compression.PLAIN, tar -> tar.file("own", 0644, "own"))
            .layer(Compression.PLAIN, shared)
            .build();
    Path file = folder.resolve("it");
    ImageFiles.writeLegacyDockerArchive(file, Map.of("team/app:1", image));

    ResolvedImage resolved = resolveAll("docker-archive:" + file + ":team/app:1");

    assertThat(resolved.configBytes()).isEqualTo(image.configBytes());
    assertThat(resolved.config().digest()).isEqualTo(image.configDigest());
    assertThat(resolved.layers()).isEqualTo(image.layers());
    assertThat(resolved.layers())
        .allSatisfy(
            layer -> {
              assertThat(layer.blob().mediaType()).isEqualTo(MediaTypes.DOCKER_LAYER_PLAIN);
              assertThat(layer.blob().digest()).isEqualTo(layer.diffId());
            });
    assertThat(resolveAll("docker-archive:" + file).manifestBytes())
        .isEqualTo(resolved.manifestBytes());
  }

  @Test
  void opensALayerOfALegacyArchiveWithoutResolvingFirst() throws IOException {
    TestImage image =
        ImageBuilder.docker().layer(Compression.PLAIN, tar -> tar.file("a", 0644, "a")).build();
    Path file = folder.resolve("it");
    ImageFiles.writeLegacyDockerArchive(file, Map.of("", image));

    try (ImageSource source = open("docker-archive:" + file);
        InputStream in = source.openBlob(image.layers().getFirst().blob())) {
      assertThat(in.readAllBytes())
          .isEqualTo(image.blob(image.layers().getFirst().blob().digest()));
    }
  }

  @Test
  void hashesCompressedLayersOfLegacyArchives() throws IOException {
    byte[] tar = new TarBuilder().file("a", 0644, "a").toBytes();
    byte[] gzip = TarBuilder.compress(tar, Compression.GZIP);
    TestImage image = ImageBuilder.docker().layer(Compression.GZIP, tar).build();
    Path file = folder.resolve("it");
    Files.write(
        file,
        new TarBuilder()
            .file("config.json", 0644, image.configBytes())
            .file("./l/layer.tar.gz", 0644, gzip)
            .file(
                "manifest.json",
                0644,
                "[{\"Config\":\"config.json\",\"RepoTags\":null,\"Layers\":[\"l/layer.tar.gz\"]}]")
            .toBytes());

    assertThat(resolveAll("docker-archive:" + file).layers()).isEqualTo(image.layers());
  }

  @Test
  void noticesAChangedByteInEveryKindOfFile() throws IOException {
    TestImage image = image("a", Compression.PLAIN);
    write("oci", Map.of("v1", image));
    Path blobs = folder.resolve("it/blobs/sha256");
    for (Digest digest :
        List.of(
            image.manifest().digest(),
            image.configDigest(),
            image.layers().getFirst().blob().digest())) {
      Path file = blobs.resolve(digest.hex());
      byte[] good = Files.readAllBytes(file);
      byte[] bad = good.clone();
      bad[bad.length / 2] ^= 1;
      Files.write(file, bad);

      assertThatThrownBy(() -> resolveAll("oci:" + folder.resolve("it")))
          .satisfiesAnyOf(
              e -> assertThat(e).isInstanceOf(ImageException.Corrupt.class),
              e -> assertThat(e).hasCauseInstanceOf(ImageException.Corrupt.class));

      Files.write(file, good);
    }
    resolveAll("oci:" + folder.resolve("it"));
  }

  @Test
  void followsNoLinkOutOfTheFolder() throws IOException {
    TestImage image = image("a", Compression.GZIP);
    write("oci", Map.of("v1", image));
    Path blob =
        folder.resolve("it/blobs/sha256/" + image.layers().getFirst().blob().digest().hex());
    Path outside = folder.resolve("outside");
    Files.move(blob, outside);
    Files.createSymbolicLink(blob, outside);

    assertThatThrownBy(() -> resolveAll("oci:" + folder.resolve("it")))
        .isInstanceOf(ImageException.Rejected.class)
        .hasMessageContaining("leaves the folder");

    Files.delete(blob);
    Files.move(outside, folder.resolve("it/kept"));
    Files.createSymbolicLink(blob, Path.of("../../kept"));
    resolveAll("oci:" + folder.resolve("it"));
  }

  @Test
  void ignoresLinksThatLeaveTheArchive() throws IOException {
    Path file = folder.resolve("it");
    Files.write(
        file,
        new TarBuilder()
            .symlink("manifest.json", "../../../../etc/passwd")
            .symlink("oci-layout", "oci-layout")
            .toBytes());

    assertThatThrownBy(() -> resolveAll("docker-archive:" + file))
        .isInstanceOf(ImageException.Rejected.class)
        .hasMessageContaining("chain of more than 8 links");

    Files.write(file, new TarBuilder().symlink("manifest.json", "../../etc/passwd").toBytes());
    assertThatThrownBy(() -> resolveAll("docker-archive:" + file))
        .isInstanceOf(ImageException.Rejected.class)
        .hasMessageContaining("has no manifest.json");
  }

  @Test
  void saysHowToReadACompressedArchive() throws IOException {
    Path file = folder.resolve("it.tar.gz");
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try (GZIPOutputStream gzip = new GZIPOutputStream(bytes)) {
      gzip.write(new TarBuilder().file("manifest.json", 0644, "[]").toBytes());
    }
    Files.write(file, bytes.toByteArray());

    assertThatThrownBy(() -> open("docker-archive:" + file))
        .isInstanceOf(ImageException.Rejected.class)
        .hasMessageContaining("gunzip --keep");
  }

  @Test
  void survivesAnyDamageOfAnArchiveWithAClearFailure() throws IOException {
    TestImage image = image("a", Compression.PLAIN);
    write("oci-archive", Map.of("v1", image));
    Path file = folder.resolve("it");
    byte[] good = Files.readAllBytes(file);
    Random random = new Random(42);
    for (int i = 0; i < 300; i++) {
      byte[] bad = good.clone();
      for (int j = 0; j <= i % 3; j++) {
        bad[random.nextInt(bad.length)] = (byte) random.nextInt(256);
      }
      Files.write(
          file, i % 5 == 0 ? java.util.Arrays.copyOf(bad, random.nextInt(bad.length)) : bad);
      try {
        ResolvedImage resolved = resolveAll("oci-archive:" + file);
        assertThat(resolved.manifestBytes()).as("damage %d", i).isEqualTo(image.manifestBytes());
      } catch (ImageException e) {
        assertThat(e).as("damage %d", i).hasMessageContaining(file.getFileName().toString());
      } catch (IOException e) {
        assertThat(e).as("damage %d", i).hasCauseInstanceOf(ImageException.Corrupt.class);
      }
    }
  }

  @Test
  void refusesAbsurdHeaders() throws IOException {
    Path file = folder.resolve("it");
    byte[] tar =
        new TarBuilder()
            .file("x", 0644, new byte[0], Map.of("comment", "c".repeat(2 << 20)))
            .toBytes();
    Files.write(file, tar);

    assertThatThrownBy(() -> open("oci-archive:" + file))
        .isInstanceOf(ImageException.Rejected.class)
        .hasMessageContaining("the limit is 1048576");
  }

  @Test
  void readsNothingOutsideTheAllowedFolders() throws IOException {
    write("oci", Map.of("v1", image("a", Compression.GZIP)));
    Path allowed = Files.createDirectory(folder.resolve("allowed"));
    Files.createSymbolicLink(allowed.resolve("link"), folder.resolve("it"));
    var closed = new ConfiguredImageSources(registries, LocalAccess.NONE, ImagePolicy.OPEN);
    var limited =
        new ConfiguredImageSources(registries, new LocalAccess(List.of(allowed)), ImagePolicy.OPEN);

    assertThatThrownBy(() -> closed.open(ImageReference.parse("oci:" + folder.resolve("it"))))
        .isInstanceOf(ImageException.Rejected.class)
        .hasMessageContaining("reads no local images");
    for (String path : List.of("it", "allowed/link", "allowed/../it", "none", "allowedX")) {
      assertThatThrownBy(() -> limited.open(ImageReference.parse("oci:" + folder.resolve(path))))
          .as(path)
          .isInstanceOf(ImageException.Rejected.class)
          .hasMessageContaining("allowed are only");
    }
    assertThatThrownBy(() -> limited.open(ImageReference.parse("oci:" + allowed.resolve("none"))))
        .isInstanceOf(ImageException.NotFound.class);
  }

  @Test
  void opensNoImageThatThePolicyForbids() {
    var sources =
        new ConfiguredImageSources(
            registries,
            LocalAccess.NONE,
            ImagePolicy.of(Optional.empty(), Optional.of("127.0.0.1:1"), Optional.empty()));

    assertThatThrownBy(() -> sources.open(ImageReference.parse("127.0.0.1:1/team/app:1")))
        .isInstanceOf(ImageException.Rejected.class)
        .hasMessageContaining("images.deny");
    sources.open(ImageReference.parse("127.0.0.1:2/team/app:1")).close();
  }

  @ParameterizedTest
  @ValueSource(strings = {"{}", "{\"imageLayoutVersion\":\"2.0.0\"}", "x", "[]"})
  void refusesOtherLayoutVersions(String marker) throws IOException {
    write("oci", Map.of("v1", image("a", Compression.GZIP)));
    Files.write(folder.resolve("it/oci-layout"), marker.getBytes(UTF_8));

    assertThatThrownBy(() -> resolveAll("oci:" + folder.resolve("it")))
        .isInstanceOf(ImageException.Rejected.class);
  }

  private void write(String transport, Map<String, TestImage> images) throws IOException {
    Path place = folder.resolve("it");
    switch (transport) {
      case "oci" -> ImageFiles.writeOciLayout(place, images);
      case "oci-archive" -> ImageFiles.writeOciArchive(place, images);
      default -> ImageFiles.writeDockerArchive(place, images);
    }
  }

  private static TestImage image(String name, Compression compression) {
    return ImageBuilder.oci()
        .layer(compression, tar -> tar.file("name", 0644, name))
        .layer(compression, tar -> tar.file("more", 0644, "more " + name))
        .build();
  }

  private ImageSource open(String reference) {
    return new ConfiguredImageSources(registries, LocalAccess.EVERYWHERE, ImagePolicy.OPEN)
        .open(ImageReference.parse(reference));
  }

  /** Resolves, and reads every layer to its end. */
  private ResolvedImage resolveAll(String reference) throws IOException {
    try (ImageSource source = open(reference)) {
      ResolvedImage resolved = source.resolve(Platform.LINUX_AMD64);
      for (LayerDescriptor layer : resolved.layers()) {
        try (InputStream in = source.openBlob(layer.blob())) {
          in.transferTo(java.io.OutputStream.nullOutputStream());
        }
      }
      return resolved;
    }
  }
}
