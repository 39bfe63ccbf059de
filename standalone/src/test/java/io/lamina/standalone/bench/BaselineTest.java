package io.lamina.standalone.bench;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.lamina.image.Digest;
import io.lamina.image.LayerDescriptor;
import io.lamina.image.testing.ImageBuilder;
import io.lamina.image.testing.TarBuilder;
import io.lamina.image.testing.TestImage;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.util.Random;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class BaselineTest {
  @ParameterizedTest
  @EnumSource(TarBuilder.Compression.class)
  void seesTheSameBytesAsTheReaderHoweverALayerIsPacked(TarBuilder.Compression packing)
      throws IOException {
    TestImage image = image(packing);
    BenchInput.Layer layer = layer(image, image.layers().getFirst());

    long archive = Conversion.verify(layer);

    assertThat(archive).isGreaterThan(700_000);
    assertThat(Baseline.plain(layer)).isEqualTo(archive);
    assertThat(Baseline.perFile(layer)).isEqualTo(archive);
  }

  @ParameterizedTest
  @EnumSource(TarBuilder.Compression.class)
  void refusesALayerThatIsNotWhatTheManifestSays(TarBuilder.Compression packing) {
    TestImage image = image(packing);
    LayerDescriptor right = image.layers().getFirst();
    Digest other = Digest.sha256(new byte[] {1});

    BenchInput.Layer layer = layer(image, new LayerDescriptor(right.blob(), other));

    assertThatThrownBy(() -> Baseline.plain(layer))
        .isInstanceOf(BenchmarkException.class)
        .hasMessageContaining(right.diffId().toString())
        .hasMessageContaining(other.toString());
    assertThatThrownBy(() -> Baseline.perFile(layer)).isInstanceOf(BenchmarkException.class);
  }

  private static TestImage image(TarBuilder.Compression packing) {
    byte[] large = new byte[700_000];
    new Random(1).nextBytes(large);
    return ImageBuilder.oci()
        .layer(
            packing,
            tar -> tar.directory("d", 0755).file("d/large", 0644, large).file("empty", 0644, ""))
        .build();
  }

  private static BenchInput.Layer layer(TestImage image, LayerDescriptor descriptor) {
    byte[] blob = image.blob(descriptor.blob().digest());
    return new BenchInput.Layer(descriptor, () -> new ByteArrayInputStream(blob));
  }
}
