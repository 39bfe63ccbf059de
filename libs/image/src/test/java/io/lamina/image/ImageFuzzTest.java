package io.lamina.image;

import static org.assertj.core.api.Assertions.assertThat;

import io.lamina.fuzzing.FuzzTarget;
import io.lamina.fuzzing.Fuzzer;
import io.lamina.image.manifest.FetchedManifest;
import io.lamina.image.manifest.ImageConfig;
import io.lamina.image.manifest.ManifestJson;
import io.lamina.image.testing.ImageBuilder;
import io.lamina.image.testing.TarBuilder.Compression;
import io.lamina.image.testing.TestImage;
import io.lamina.image.thin.ThinDescriptor;
import io.lamina.image.thin.ThinDescriptorJson;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Manifests, configs, thin descriptors and references as an attacker writes them. */
@Timeout(86_400)
class ImageFuzzTest {
  private static final TestImage IMAGE =
      ImageBuilder.oci().layer(Compression.GZIP, tar -> tar.file("a", 0644, "a")).build();
  private static final TestImage DOCKER =
      ImageBuilder.docker().layer(Compression.GZIP, tar -> tar.file("b", 0644, "b")).build();

  private static final List<byte[]> WORDS =
      Stream.of(
              "{",
              "[",
              "\"",
              "null",
              "true",
              "\\u0000",
              "\\ud800",
              "\"layers\":[]",
              "\"config\":",
              "\"urls\":[\"http://127.0.0.1/\"]",
              "\"schemaVersion\":1",
              "sha512:",
              "cvmfs://",
              "/../",
              "@sha256:",
              "docker://",
              "[::1]:",
              "%00",
              ":")
          .map(ImageFuzzTest::utf8)
          .toList();

  static Stream<FuzzTarget> targets() {
    return Stream.of(
        target(
            "manifest",
            ImageFuzzTest::readManifest,
            List.of(
                IMAGE.manifestBytes(),
                DOCKER.manifestBytes(),
                ImageBuilder.index(IMAGE, DOCKER).manifestBytes())),
        target(
            "image config",
            json -> ImageConfig.parse("x", json).diffIds().size(),
            List.of(IMAGE.blob(IMAGE.configDigest()), DOCKER.blob(DOCKER.configDigest()))),
        target(
            "thin.json",
            ImageFuzzTest::readThin,
            List.of(
                utf8(
                    "{\"version\":\"1.0\",\"min_version\":\"1.0\",\"origin\":\"docker://a.test/b:1\","
                        + "\"layers\":[{\"digest\":\""
                        + "ab".repeat(32)
                        + "\",\"url\":\"cvmfs://a.test/.layers/ab\"},"
                        + "{\"url\":\"cvmfs://b.test/x\"}],\"comment\":\"c\"}"))),
        target(
            "image reference",
            ImageFuzzTest::readReference,
            List.of(
                utf8("docker://quay.io:443/a/b-c__d.e:tag@sha256:" + "0a".repeat(32)),
                utf8("ubuntu"),
                utf8("[::1]:5000/a/b:1"),
                utf8("oci:/srv/layout:v1"),
                utf8("docker-archive:/srv/a.tar:team/app:2"))));
  }

  private static FuzzTarget target(String name, FuzzTarget.Reader reader, List<byte[]> corpus) {
    return new FuzzTarget(
        name,
        reader,
        Set.of(ImageException.Rejected.class),
        corpus,
        WORDS,
        UnaryOperator.identity(),
        new FuzzTarget.Limits(4 << 20, 200, 16, 1));
  }

  @ParameterizedTest
  @MethodSource("targets")
  void answersAsDocumentedWhateverItReads(FuzzTarget target) {
    Fuzzer.Report report = Fuzzer.run(target, Fuzzer.seed(), Fuzzer.Until.standard(1500));

    System.out.println(report);
    assertThat(report.answers()).isPositive();
    assertThat(report.signatures()).isGreaterThan(3);
  }

  private static long readManifest(byte[] json) {
    ManifestJson.parse("x", FetchedManifest.of(Optional.empty(), json));
    return 1;
  }

  /** What is read can be written, and is the same when it is read again. */
  private static long readThin(byte[] json) {
    ThinDescriptor thin = ThinDescriptorJson.read(json);
    assertThat(ThinDescriptorJson.read(ThinDescriptorJson.write(thin))).isEqualTo(thin);
    return thin.layers().size();
  }

  /** What is accepted has one text, and a public name that stays below the repository's root. */
  private static long readReference(byte[] text) {
    ImageReference reference = ImageReference.parse(new String(text, StandardCharsets.UTF_8));
    assertThat(ImageReference.parse(reference.canonical())).isEqualTo(reference);
    for (String component : reference.publicName().split("/", -1)) {
      assertThat(component).isNotEmpty().doesNotStartWith(".");
      assertThat(component.getBytes(StandardCharsets.UTF_8)).hasSizeLessThanOrEqualTo(255);
    }
    return 1;
  }

  private static byte[] utf8(String text) {
    return text.getBytes(StandardCharsets.UTF_8);
  }
}
