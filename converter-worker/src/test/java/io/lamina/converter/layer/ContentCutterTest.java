package io.lamina.converter.layer;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ContentCutterTest {
  private static final ChunkSizes SMALL = new ChunkSizes(1 << 16, 1 << 17, 1 << 18);

  /** The words of a xorshift generator, little-endian. */
  private static byte[] noise(int bytes) {
    ByteBuffer buffer = ByteBuffer.allocate(bytes).order(ByteOrder.LITTLE_ENDIAN);
    long s = 42;
    while (buffer.hasRemaining()) {
      s ^= s << 13;
      s ^= s >>> 7;
      s ^= s << 17;
      buffer.putLong(s);
    }
    return buffer.array();
  }

  /** Cut marks within the content, found in steps of {@code step} bytes. */
  private static List<Long> marks(byte[] content, ChunkSizes sizes, int step) {
    List<Long> marks = new ArrayList<>();
    ContentCutter cutter = new ContentCutter(sizes);
    int start = 0;
    while (start < content.length) {
      int left = Math.min(content.length - start, sizes.maxBytes());
      byte[] chunk = Arrays.copyOfRange(content, start, start + left);
      cutter.startChunk();
      int cut = -1;
      int filled = 0;
      while (cut < 0 && filled < left) {
        filled = Math.min(left, filled + step);
        cut = cutter.find(chunk, filled);
      }
      if (cut < 0) {
        break;
      }
      start += cut;
      marks.add((long) start);
    }
    return marks;
  }

  /** The marks were found by the original's detector, built so that its integers wrap around. */
  @ParameterizedTest
  @ValueSource(ints = {1 << 18, 1 << 16, 99_991})
  void cutsWhereTheOriginalPublisherCuts(int step) {
    assertThat(marks(noise(80 << 20), ChunkSizes.DEFAULT, step))
        .startsWith(
            8808178L, 13086848L, 22829830L, 30990163L, 38494644L, 55271860L, 60656988L, 66136056L)
        .contains(82913272L);
    assertThat(marks(Arrays.copyOf(noise(80 << 20), 1 << 21), SMALL, step))
        .containsExactly(
            110385L, 207809L, 308887L, 444566L, 587373L, 682438L, 867581L, 1007846L, 1098272L,
            1282853L, 1429492L, 1504236L, 1666676L, 1749970L, 1834377L, 1917021L);
  }

  @Test
  void cutsAtTheMaximumWhereNothingIsMarked() {
    assertThat(marks(new byte[40 << 20], ChunkSizes.DEFAULT, 1 << 18))
        .containsExactly(16777216L, 33554432L);
  }

  @Test
  void cutsAtTheMinimumWhereEveryByteIsMarked() {
    byte[] ones = new byte[20 << 20];
    Arrays.fill(ones, (byte) 1);

    assertThat(marks(ones, ChunkSizes.DEFAULT, 1 << 18))
        .containsExactly(4194304L, 8388608L, 12582912L, 16777216L);
  }

  @Test
  void findsTheSameMarksBehindAnInsertion() {
    byte[] content = Arrays.copyOf(noise(80 << 20), 2 << 20);
    byte[] shifted = new byte[content.length + 7];
    System.arraycopy(content, 0, shifted, 7, content.length);

    List<Long> before = marks(content, SMALL, 1 << 18);
    List<Long> after = marks(shifted, SMALL, 1 << 18);

    assertThat(after).contains(before.getLast() + 7);
  }
}
