package io.lamina.cvmfs.compression;

import static org.assertj.core.api.Assertions.assertThat;

import io.lamina.cvmfs.HashAlgorithm;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class SegmentedCompressorTest {
  private static final long PLENTY = 64L << 20;

  @ParameterizedTest
  @ValueSource(ints = {1, 100, 8191, 8192, 8193, 16_384, 100_000, 1 << 20})
  void givesBackTheContentOfEveryLength(int length) {
    byte[] content = rows(length + 10, 1);
    try (ObjectCompressor compressor = new SegmentedCompressor(1, PLENTY)) {
      CompressedObject object = compressor.compress(content, 7, length, HashAlgorithm.SHA1);

      assertThat(Decompression.inflateExactly(object.bytes(), length))
          .isEqualTo(Arrays.copyOfRange(content, 7, 7 + length));
    }
  }

  @Test
  void givesBackNoise() {
    byte[] content = new byte[50_000];
    new Random(5).nextBytes(content);
    try (ObjectCompressor compressor = new SegmentedCompressor(1, PLENTY)) {
      assertThat(
              Decompression.inflateExactly(
                  compressor.compress(content, HashAlgorithm.SHA1).bytes(), content.length))
          .isEqualTo(content);
    }
  }

  @Test
  void givesTheSameBytesWhateverItRemembers() {
    byte[] before = rows(200_000, 2);
    byte[] after = before.clone();
    after[70_000] ^= 1;
    try (ObjectCompressor fresh = new SegmentedCompressor(1, PLENTY);
        ObjectCompressor used = new SegmentedCompressor(1, PLENTY);
        ObjectCompressor forgetful = new SegmentedCompressor(1, 10_000)) {
      used.compress(before, HashAlgorithm.SHA1);
      forgetful.compress(before, HashAlgorithm.SHA1);
      CompressedObject expected = fresh.compress(after, HashAlgorithm.SHA1);

      assertThat(used.compress(after, HashAlgorithm.SHA1).bytes()).isEqualTo(expected.bytes());
      assertThat(forgetful.compress(after, HashAlgorithm.SHA1).bytes()).isEqualTo(expected.bytes());
    }
  }

  @Test
  void tellsSegmentsOfDifferentLengthApart() {
    try (ObjectCompressor compressor = new SegmentedCompressor(1, PLENTY)) {
      for (int length : new int[] {8192, 5000, 8192 + 5000, 5000}) {
        byte[] content = new byte[length];
        assertThat(
                Decompression.inflateExactly(
                    compressor.compress(content, HashAlgorithm.SHA1).bytes(), length))
            .isEqualTo(content);
      }
    }
  }

  /** Changes only with the format or the JDK's zlib. */
  @Test
  void writesTheseBytes() {
    byte[] content = "hello\n".getBytes(StandardCharsets.US_ASCII);
    try (ObjectCompressor compressor = new SegmentedCompressor(1, PLENTY)) {
      assertThat(HexFormat.of().formatHex(compressor.compress(content, HashAlgorithm.SHA1).bytes()))
          .isEqualTo("7801ca48cdc9c9e702000000ffff0300084b021f");
    }
  }

  /** Text that compresses, without two segments alike. */
  private static byte[] rows(int length, long seed) {
    Random random = new Random(seed);
    StringBuilder text = new StringBuilder(length + 50);
    while (text.length() < length) {
      text.append("/.layers/ab/").append(Long.toHexString(random.nextLong())).append('\n');
    }
    return text.substring(0, length).getBytes(StandardCharsets.US_ASCII);
  }
}
