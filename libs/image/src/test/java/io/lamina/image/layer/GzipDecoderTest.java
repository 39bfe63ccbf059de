package io.lamina.image.layer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.lamina.image.ImageException;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.util.Arrays;
import java.util.Random;
import java.util.function.Supplier;
import java.util.zip.Deflater;
import java.util.zip.GZIPOutputStream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class GzipDecoderTest {
  /** Each decompressor that there may be. */
  enum Engine {
    JDK(RawInflate.Jdk::new),
    ISAL(
        () -> {
          assumeTrue(IsalInflate.isAvailable(), "libisal.so.2 is not installed (package libisal2)");
          return new IsalInflate();
        });

    final Supplier<RawInflate> maker;

    Engine(Supplier<RawInflate> maker) {
      this.maker = maker;
    }

    InputStream open(byte[] gzip) {
      return new GzipDecoder(new ByteArrayInputStream(gzip), maker.get());
    }
  }

  private static byte[] gzip(byte[] content, int level) throws IOException {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    try (GZIPOutputStream gzip =
        new GZIPOutputStream(out) {
          {
            def.setLevel(level);
          }
        }) {
      gzip.write(content);
    }
    return out.toByteArray();
  }

  private static byte[] content(long seed) {
    Random random = new Random(seed);
    byte[] content = new byte[random.nextInt(150_000)];
    random.nextBytes(content);
    int mask = new int[] {0xff, 0x0f, 0x01, 0}[random.nextInt(4)];
    for (int i = content.length / 3; i < content.length; i++) {
      content[i] &= (byte) mask;
    }
    return content;
  }

  @ParameterizedTest
  @EnumSource
  void restoresMembersOfAllLevelsInPiecesOfAllSizes(Engine engine) throws IOException {
    for (int seed = 0; seed < 40; seed++) {
      Random random = new Random(seed);
      ByteArrayOutputStream packed = new ByteArrayOutputStream();
      ByteArrayOutputStream plain = new ByteArrayOutputStream();
      for (int member = random.nextInt(4); member >= 0; member--) {
        byte[] content = content(random.nextLong());
        plain.writeBytes(content);
        packed.writeBytes(gzip(content, new int[] {0, 1, 6, 9}[random.nextInt(4)]));
      }
      ByteArrayOutputStream restored = new ByteArrayOutputStream();
      byte[] piece = new byte[1 + random.nextInt(seed % 2 == 0 ? 300 : 300_000)];
      try (InputStream in = engine.open(packed.toByteArray())) {
        int n = in.read(piece);
        while (n >= 0) {
          restored.write(piece, 0, n);
          n = in.read(piece);
        }
      }

      assertThat(restored.toByteArray()).as("seed %d", seed).isEqualTo(plain.toByteArray());
    }
  }

  @ParameterizedTest
  @EnumSource
  void readsOneByteAtATime(Engine engine) throws IOException {
    byte[] content = Arrays.copyOf(content(3), 5000);
    ByteArrayOutputStream restored = new ByteArrayOutputStream();

    try (InputStream in = engine.open(gzip(content, 6))) {
      int b = in.read();
      while (b >= 0) {
        restored.write(b);
        b = in.read();
      }
    }

    assertThat(restored.toByteArray()).isEqualTo(content);
  }

  @ParameterizedTest
  @EnumSource
  void survivesDamageOfAnyKind(Engine engine) throws IOException {
    byte[] content = Arrays.copyOf(content(5), 40_000);
    byte[] packed = gzip(content, 6);
    for (int seed = 0; seed < 400; seed++) {
      Random random = new Random(seed);
      byte[] damaged = packed.clone();
      for (int i = random.nextInt(5); i >= 0; i--) {
        damaged[random.nextInt(damaged.length)] ^= (byte) (1 + random.nextInt(255));
      }
      damaged = Arrays.copyOf(damaged, 1 + random.nextInt(damaged.length));
      try (InputStream in = engine.open(damaged)) {
        byte[] restored = in.readNBytes(100 << 20);

        assertThat(restored.length).isLessThan(100 << 20);
      } catch (ImageException.Rejected e) {
        assertThat(e).hasMessageContaining("gzip");
      }
    }
  }

  @ParameterizedTest
  @EnumSource
  void skipsAllPartsOfAHeader(Engine engine) throws IOException {
    byte[] content = content(7);
    byte[] plain = gzip(content, 6);
    ByteArrayOutputStream packed = new ByteArrayOutputStream();
    packed.writeBytes(new byte[] {0x1f, (byte) 0x8b, 8, 0x1f, 1, 2, 3, 4, 0, 3});
    packed.writeBytes(new byte[] {2, 1});
    packed.writeBytes(new byte[258]);
    packed.writeBytes("name\0comment\0".getBytes());
    packed.writeBytes(new byte[] {9, 9});
    packed.write(plain, 10, plain.length - 10);

    try (InputStream in = engine.open(packed.toByteArray())) {
      assertThat(in.readAllBytes()).isEqualTo(content);
    }
  }

  @ParameterizedTest
  @EnumSource
  void refusesWhatIsNoGzip(Engine engine) {
    byte[] zlib = new byte[100];
    Deflater deflater = new Deflater();
    deflater.finish();
    deflater.deflate(zlib);
    deflater.end();

    assertThatThrownBy(() -> engine.open(zlib).readAllBytes())
        .isInstanceOf(ImageException.Rejected.class)
        .hasMessageContaining("no gzip header");
    assertThatThrownBy(() -> engine.open(new byte[0]).readAllBytes())
        .isInstanceOf(ImageException.Rejected.class)
        .hasMessageContaining("empty");
    assertThatThrownBy(
            () -> engine.open(new byte[] {0x1f, (byte) 0x8b, 8, (byte) 0x80, 0}).readAllBytes())
        .isInstanceOf(ImageException.Rejected.class)
        .hasMessageContaining("reserved");
  }
}
