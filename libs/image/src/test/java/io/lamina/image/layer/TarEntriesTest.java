package io.lamina.image.layer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.lamina.image.ImageException;
import io.lamina.image.layer.TarBytes.Header;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.SequenceInputStream;
import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class TarEntriesTest {
  private static TarEntries of(byte[] archive) {
    return TarEntries.of(new ByteArrayInputStream(archive), LayerLimits.DEFAULT);
  }

  @ParameterizedTest
  @CsvSource({
    "/../x,x",
    "a/../x,x",
    "./a/b/../../x,x",
    "/a/../../x,x",
    "a/./b/../c/,a/c",
    "..a/b..,..a/b..",
    "a..b/../c,c",
    "/..,.",
    "a/..,."
  })
  void readsNamesAsEnginesDo(String name, String path) {
    TarEntries entries = of(new TarBytes().entry(name, '5').end());

    assertThat(entries.next().orElseThrow().path()).hasToString(path);
    assertThat(entries.next()).isEmpty();
  }

  @ParameterizedTest
  @ValueSource(strings = {"../x", "a/../../x", "..", "./..", "../../a/../x"})
  void refusesNamesThatLeaveTheLayer(String name) {
    assertThatThrownBy(() -> of(new TarBytes().file(name, new byte[0]).end()).next())
        .isInstanceOf(ImageException.Rejected.class)
        .hasMessageContaining("'..'");
    byte[] link = new TarBytes().add(new Header("l", '1', 0).link(name), new byte[0]).end();
    assertThatThrownBy(() -> of(link).next())
        .isInstanceOf(ImageException.Rejected.class)
        .hasMessageContaining("'..'");
  }

  @Test
  void readsToTheVeryEnd() {
    byte[] archive = new TarBytes().file("a", new byte[600]).end();
    byte[] longer = Arrays.copyOf(archive, archive.length + 100_001);
    longer[longer.length - 1] = 'x';
    ByteArrayInputStream in = new ByteArrayInputStream(longer);
    TarEntries entries = TarEntries.of(in, LayerLimits.DEFAULT);

    assertThat(entries.next()).isPresent();
    assertThat(entries.next()).isEmpty();
    entries.finish();

    assertThat(in.available()).isZero();
    assertThat(entries.bytesRead()).isEqualTo(longer.length);
  }

  @Test
  void takesNothingForAnEmptyArchive() {
    assertThat(of(new byte[0]).next()).isEmpty();
  }

  @Test
  void passesABrokenStreamOn() {
    byte[] start = Arrays.copyOf(new TarBytes().file("a", new byte[600]).end(), 700);
    InputStream broken =
        new SequenceInputStream(
            new ByteArrayInputStream(start),
            new InputStream() {
              @Override
              public int read() throws IOException {
                throw new IOException("connection reset");
              }
            });
    TarEntries entries = TarEntries.of(broken, LayerLimits.DEFAULT);

    assertThat(entries.next()).isPresent();
    assertThatThrownBy(entries::next)
        .isInstanceOf(ImageException.Retryable.class)
        .hasMessageContaining("broke off after 700 bytes: connection reset");
  }

  @Test
  void boundsTheArchive() {
    LayerLimits few = new LayerLimits(10, 100, 10, 100, 10, 1000, 1000, 10, 10_000, 1000, 1, 1);
    byte[] archive = new TarBytes().file("a", new byte[2000]).end();

    assertThatThrownBy(() -> TarEntries.of(new ByteArrayInputStream(archive), few).next())
        .isInstanceOf(ImageException.Rejected.class)
        .hasMessageContaining("more than 1000 bytes");
  }
}
