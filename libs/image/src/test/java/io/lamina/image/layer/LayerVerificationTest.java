package io.lamina.image.layer;

import static io.lamina.image.layer.TarBytes.latin1;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.github.luben.zstd.Zstd;
import io.lamina.image.ImageException;
import io.lamina.image.LayerDescriptor;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.util.Arrays;
import java.util.Random;
import java.util.concurrent.CancellationException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class LayerVerificationTest {
  private static final byte[] TAR = bigTar();

  private static byte[] bigTar() {
    byte[] noise = new byte[700_000];
    new Random(42).nextBytes(noise);
    byte[] text = "the same words again and again\n".repeat(40_000).getBytes();
    return new TarBytes().file("noise", noise).file("text", text).file("empty", new byte[0]).end();
  }

  private static byte[] join(byte[]... parts) {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    for (byte[] part : parts) {
      out.writeBytes(part);
    }
    return out.toByteArray();
  }

  private static LayerReader.Totals read(String mediaType, byte[] blob, byte[] tar) {
    try (LayerReader reader = Blobs.open(mediaType, blob, tar, LayerLimits.DEFAULT)) {
      assertThat(Blobs.readAll(reader)).hasSize(3);
      return reader.finish();
    }
  }

  @Test
  void readsPlainGzipAndZstdWhateverTheMediaTypeSays() {
    byte[] gzip = Blobs.gzip(TAR);
    byte[] zstd = Zstd.compress(TAR, 3);

    for (String type : new String[] {Blobs.TAR, Blobs.GZIP, Blobs.ZSTD}) {
      assertThat(read(type, TAR, TAR).unpackedBytes()).isEqualTo(TAR.length);
      assertThat(read(type, gzip, TAR).compressedBytes()).isEqualTo(gzip.length);
      assertThat(read(type, zstd, TAR).compressedBytes()).isEqualTo(zstd.length);
    }
  }

  @Test
  void readsSeveralGzipMembersAndZstdFrames() {
    int cut = 654_321;
    byte[] first = Arrays.copyOf(TAR, cut);
    byte[] second = Arrays.copyOfRange(TAR, cut, TAR.length);
    byte[] skippable = {0x50, 0x2a, 0x4d, 0x18, 3, 0, 0, 0, 1, 2, 3};

    byte[] empty = Blobs.gzip(new byte[0]);
    read(Blobs.GZIP, join(Blobs.gzip(first), empty, Blobs.gzip(second), empty), TAR);
    read(Blobs.GZIP, join(Blobs.gzip(TAR), new byte[3000]), TAR);
    read(Blobs.ZSTD, join(skippable, Zstd.compress(first), Zstd.compress(second)), TAR);
  }

  @Test
  void rejectsGarbageBehindTheLastMember() {
    byte[] blob = join(Blobs.gzip(TAR), latin1("more"));

    assertThatThrownBy(() -> read(Blobs.GZIP, blob, TAR))
        .isInstanceOf(ImageException.Rejected.class)
        .hasMessageContaining("garbage after the last member");
  }

  @Test
  void rejectsIntactBlobsWhoseContentIsBroken() {
    byte[] gzip = Arrays.copyOf(Blobs.gzip(TAR), 300_000);
    byte[] zstd = Arrays.copyOf(Zstd.compress(TAR), 300_000);

    assertThatThrownBy(() -> read(Blobs.GZIP, gzip, TAR))
        .isInstanceOf(ImageException.Rejected.class)
        .hasMessageContaining("ends within compressed data");
    assertThatThrownBy(() -> read(Blobs.ZSTD, zstd, TAR))
        .isInstanceOf(ImageException.Rejected.class)
        .hasMessageContaining("zstd");
  }

  @Test
  void rejectsPackingsThatItDoesNotKnow() {
    byte[] xz = join(new byte[] {(byte) 0xfd}, latin1("7zXZ\0rest"));

    assertThatThrownBy(() -> read(Blobs.TAR, xz, TAR))
        .isInstanceOf(ImageException.Rejected.class)
        .hasMessageContaining("bzip2 or xz");
    assertThatThrownBy(() -> read(Blobs.GZIP + "+encrypted", xz, TAR))
        .isInstanceOf(ImageException.Rejected.class)
        .hasMessageContaining("encrypted");
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 5, 100_000, 350_000, 700_500})
  void callsDamageInTransferCorruptAndNotHostile(int position) {
    for (byte[] whole : new byte[][] {TAR, Blobs.gzip(TAR), Zstd.compress(TAR)}) {
      LayerDescriptor layer = Blobs.layer(Blobs.GZIP, whole, TAR);
      byte[] damaged = whole.clone();
      damaged[Math.min(position, damaged.length - 1)] ^= 0x10;

      assertCorrupt(layer, damaged);
      assertCorrupt(layer, Arrays.copyOf(whole, Math.min(position, whole.length - 1)));
      assertCorrupt(layer, join(whole, new byte[1]));
    }
  }

  private static void assertCorrupt(LayerDescriptor layer, byte[] blob) {
    assertThatThrownBy(
            () -> {
              try (LayerReader reader =
                  LayerReader.open(layer, new ByteArrayInputStream(blob), LayerLimits.DEFAULT)) {
                Blobs.readAll(reader);
              }
            })
        .isInstanceOf(ImageException.Corrupt.class)
        .hasMessageContaining(layer.blob().digest().toString());
  }

  @Test
  void rejectsALayerWhoseDiffIdIsWrong() {
    byte[] other = new TarBytes().end();
    byte[] blob = Blobs.gzip(TAR);

    assertThatThrownBy(() -> read(Blobs.GZIP, blob, other))
        .isInstanceOf(ImageException.Rejected.class)
        .hasMessageContaining(Blobs.sha256(TAR).toString())
        .hasMessageContaining(Blobs.sha256(other).toString());
  }

  @Test
  void passesOnWhatTheSourceSays() {
    LayerDescriptor layer = Blobs.layer(Blobs.TAR, TAR, TAR);
    InputStream failing =
        new InputStream() {
          @Override
          public int read() throws IOException {
            throw new IOException(new ImageException.NotFound("the blob is gone"));
          }
        };
    InputStream broken =
        new InputStream() {
          @Override
          public int read() throws IOException {
            throw new IOException("connection reset");
          }
        };

    try (LayerReader reader = LayerReader.open(layer, failing, LayerLimits.DEFAULT)) {
      assertThatThrownBy(reader::next)
          .isInstanceOf(ImageException.NotFound.class)
          .hasMessage("the blob is gone");
    }
    try (LayerReader reader = LayerReader.open(layer, broken, LayerLimits.DEFAULT)) {
      assertThatThrownBy(reader::next)
          .isInstanceOf(ImageException.Retryable.class)
          .hasMessageContaining("connection reset");
    }
  }

  @Test
  void stopsItsThreadWhenClosedEarly() {
    byte[] blob = Blobs.gzip(TAR);
    LayerReader reader = Blobs.open(Blobs.GZIP, blob, TAR, LayerLimits.DEFAULT);
    reader.next();

    reader.close();

    String name = "layer-unpack-" + Blobs.sha256(blob).hex().substring(0, 12);
    assertThat(Thread.getAllStackTraces().keySet()).noneMatch(t -> t.getName().equals(name));
  }

  @Test
  void leavesPromptlyWhenInterrupted() {
    LayerDescriptor layer = Blobs.layer(Blobs.TAR, TAR, TAR);
    try (LayerReader reader =
        LayerReader.open(layer, new ByteArrayInputStream(TAR), LayerLimits.DEFAULT)) {
      Thread.currentThread().interrupt();

      assertThatThrownBy(reader::next).isInstanceOf(CancellationException.class);
      assertThat(Thread.interrupted()).isTrue();
    }
  }
}
