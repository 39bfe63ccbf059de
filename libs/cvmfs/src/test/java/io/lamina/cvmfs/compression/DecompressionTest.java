package io.lamina.cvmfs.compression;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.lamina.cvmfs.CvmfsException;
import io.lamina.cvmfs.HashAlgorithm;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.security.DigestInputStream;
import java.util.Arrays;
import java.util.zip.Deflater;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class DecompressionTest {
  private static final byte[] CONTENT = ProbeText.bytes();
  private static final byte[] STORED = ReferenceZlib.compress(CONTENT, HashAlgorithm.SHA1).bytes();

  @ParameterizedTest
  @ValueSource(ints = {6000, 6001, 100_000})
  void readsContentUpToTheBound(int maxBytes) throws IOException {
    assertThat(Decompression.inflate(STORED, maxBytes)).isEqualTo(CONTENT);
    assertThat(streamed(STORED, maxBytes)).isEqualTo(CONTENT);
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 1, 5999})
  void refusesContentOverTheBound(int maxBytes) {
    assertCorrupt(STORED, maxBytes, "more than the allowed " + maxBytes);
  }

  @Test
  void stopsABombAtTheBound() {
    byte[] bomb = ReferenceZlib.compress(new byte[50_000_000], HashAlgorithm.SHA1).bytes();

    assertCorrupt(bomb, 1_000_000, "more than the allowed 1000000");
  }

  @Test
  void refusesBytesAfterTheStream() {
    assertCorrupt(Arrays.copyOf(STORED, STORED.length + 1), 10_000, "follow the end");

    byte[] twice = Arrays.copyOf(STORED, 2 * STORED.length);
    System.arraycopy(STORED, 0, twice, STORED.length, STORED.length);
    assertCorrupt(twice, 20_000, "follow the end");
  }

  @Test
  void refusesAStreamThatBreaksOffAnywhere() {
    for (int length = 0; length < STORED.length; length += 41) {
      assertCorrupt(Arrays.copyOf(STORED, length), 10_000, "breaks off");
    }
    assertCorrupt(Arrays.copyOf(STORED, STORED.length - 1), 10_000, "breaks off");
    assertCorrupt(Arrays.copyOf(STORED, STORED.length - 1), CONTENT.length, "breaks off");
  }

  @Test
  void refusesAWrongChecksumAndOtherFormats() {
    byte[] damaged = STORED.clone();
    damaged[damaged.length - 1] ^= 1;
    assertCorrupt(damaged, 10_000, "not a zlib stream");

    byte[] gzip = {0x1f, (byte) 0x8b, 8, 0, 0, 0, 0, 0, 0, 3, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0};
    assertCorrupt(gzip, 10_000, "not a zlib stream");
  }

  @Test
  void refusesAStreamWithAPresetDictionary() {
    Deflater deflater = new Deflater();
    deflater.setDictionary(CONTENT);
    byte[] stored = JdkCompressor.deflate(deflater, CONTENT, 0, CONTENT.length);
    deflater.end();

    assertCorrupt(stored, 10_000, "dictionary");
  }

  @Test
  void insistsOnAKnownLength() {
    assertThat(Decompression.inflateExactly(STORED, CONTENT.length)).isEqualTo(CONTENT);
    assertThatThrownBy(() -> Decompression.inflateExactly(STORED, CONTENT.length + 1))
        .isInstanceOf(CvmfsException.Corrupt.class)
        .hasMessageContaining("6000 bytes of content, not 6001");
    assertThatThrownBy(() -> Decompression.inflateExactly(STORED, CONTENT.length - 1))
        .isInstanceOf(CvmfsException.Corrupt.class);
  }

  @Test
  void hasReadAllStoredBytesWhenItReportsTheEnd() throws IOException {
    DigestInputStream hashed =
        new DigestInputStream(new ByteArrayInputStream(STORED), HashAlgorithm.SHA1.newDigest());

    try (InputStream content = Decompression.stream(hashed, 10_000)) {
      content.readAllBytes();
    }

    assertThat(hashed.getMessageDigest().digest())
        .isEqualTo(HashAlgorithm.SHA1.newDigest().digest(STORED));
  }

  private static void assertCorrupt(byte[] stored, int maxBytes, String message) {
    assertThatThrownBy(() -> Decompression.inflate(stored, maxBytes))
        .isInstanceOf(CvmfsException.Corrupt.class)
        .hasMessageContaining(message);
    assertThatThrownBy(() -> streamed(stored, maxBytes))
        .isInstanceOf(CvmfsException.Corrupt.class)
        .hasMessageContaining(message);
  }

  private static byte[] streamed(byte[] stored, int maxBytes) throws IOException {
    try (InputStream content = Decompression.stream(new ByteArrayInputStream(stored), maxBytes)) {
      return content.readAllBytes();
    }
  }
}
