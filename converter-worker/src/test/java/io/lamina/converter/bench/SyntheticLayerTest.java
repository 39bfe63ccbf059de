package io.lamina.converter.bench;

import static org.assertj.core.api.Assertions.assertThat;

import io.lamina.image.Digest;
import io.lamina.image.layer.LayerEntry;
import io.lamina.image.layer.LayerLimits;
import io.lamina.image.layer.LayerReader;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.util.HashSet;
import java.util.Optional;
import java.util.Set;
import java.util.zip.GZIPInputStream;
import org.junit.jupiter.api.Test;

class SyntheticLayerTest {
  private static final long BYTES = 20_000_000;

  @Test
  void givesTheSameBytesAtEachReading() throws IOException {
    byte[] first = bytes(new SyntheticLayer(3, 500_000));
    byte[] second = bytes(new SyntheticLayer(3, 500_000));

    assertThat(first).isEqualTo(second);
    assertThat(bytes(new SyntheticLayer(4, 500_000))).isNotEqualTo(first);
  }

  @Test
  void isOneGzipMemberThatTheJdkUnpacksToWhatTheDescriptorSays() throws IOException {
    SyntheticLayer layer = new SyntheticLayer(1, 2_000_000);

    byte[] blob = bytes(layer);
    byte[] tar;
    try (InputStream in = new GZIPInputStream(new ByteArrayInputStream(blob))) {
      tar = in.readAllBytes();
    }

    assertThat(Digest.sha256(blob)).isEqualTo(layer.descriptor().blob().digest());
    assertThat(blob.length).isEqualTo((int) layer.descriptor().blob().sizeBytes());
    assertThat(Digest.sha256(tar)).isEqualTo(layer.descriptor().diffId());
    assertThat((long) tar.length).isEqualTo(layer.unpackedBytes()).isGreaterThan(2_000_000);
  }

  @Test
  void holdsSmallAndLargeFilesOfWhichNoTwoAreAlike() throws IOException {
    SyntheticLayer layer = new SyntheticLayer(42, BYTES);
    Set<Digest> contents = new HashSet<>();
    long largest = 0;
    int files = 0;
    int directories = 0;

    try (LayerReader reader =
        LayerReader.open(layer.descriptor(), layer.open(), LayerLimits.DEFAULT)) {
      for (Optional<LayerEntry> next = reader.next(); next.isPresent(); next = reader.next()) {
        if (next.get() instanceof LayerEntry.RegularFile file) {
          files++;
          largest = Math.max(largest, file.sizeBytes());
          contents.add(Digest.sha256(file.content().readAllBytes()));
        } else {
          directories++;
        }
      }
      assertThat(reader.finish().unpackedBytes()).isEqualTo(layer.unpackedBytes());
    }

    assertThat(contents).hasSize(files);
    assertThat(files).isGreaterThan(100);
    assertThat(directories).isEqualTo((files + 199) / 200);
    assertThat(largest).isGreaterThan(4 << 20);
  }

  private static byte[] bytes(SyntheticLayer layer) throws IOException {
    try (InputStream in = layer.open()) {
      return in.readAllBytes();
    }
  }
}
