package io.lamina.cvmfs;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;
import java.security.MessageDigest;
import java.util.Arrays;

/**
 * RIPEMD-160, which the JDK's providers lack.
 *
 * <p>Source: Dobbertin, Bosselaers, Preneel, "RIPEMD-160: A Strengthened Version of RIPEMD" (1996).
 * Not thread-safe, as every {@link MessageDigest}.
 */
final class Ripemd160 extends MessageDigest {
  private static final int BLOCK_BYTES = 64;
  private static final int LENGTH_BYTES = 8;
  private static final VarHandle INTS =
      MethodHandles.byteArrayViewVarHandle(int[].class, ByteOrder.LITTLE_ENDIAN);
  private static final VarHandle LONGS =
      MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.LITTLE_ENDIAN);

  private static final int[] LEFT_WORDS = {
    0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15,
    7, 4, 13, 1, 10, 6, 15, 3, 12, 0, 9, 5, 2, 14, 11, 8,
    3, 10, 14, 4, 9, 15, 8, 1, 2, 7, 0, 6, 13, 11, 5, 12,
    1, 9, 11, 10, 0, 8, 12, 4, 13, 3, 7, 15, 14, 5, 6, 2,
    4, 0, 5, 9, 7, 12, 2, 10, 14, 1, 3, 8, 11, 6, 15, 13
  };
  private static final int[] RIGHT_WORDS = {
    5, 14, 7, 0, 9, 2, 11, 4, 13, 6, 15, 8, 1, 10, 3, 12,
    6, 11, 3, 7, 0, 13, 5, 10, 14, 15, 8, 12, 4, 9, 1, 2,
    15, 5, 1, 3, 7, 14, 6, 9, 11, 8, 12, 2, 10, 0, 4, 13,
    8, 6, 4, 1, 3, 11, 15, 0, 5, 12, 2, 13, 9, 7, 10, 14,
    12, 15, 10, 4, 1, 5, 8, 7, 6, 2, 13, 14, 0, 3, 9, 11
  };
  private static final int[] LEFT_SHIFTS = {
    11, 14, 15, 12, 5, 8, 7, 9, 11, 13, 14, 15, 6, 7, 9, 8,
    7, 6, 8, 13, 11, 9, 7, 15, 7, 12, 15, 9, 11, 7, 13, 12,
    11, 13, 6, 7, 14, 9, 13, 15, 14, 8, 13, 6, 5, 12, 7, 5,
    11, 12, 14, 15, 14, 15, 9, 8, 9, 14, 5, 6, 8, 6, 5, 12,
    9, 15, 5, 11, 6, 8, 13, 12, 5, 12, 13, 14, 11, 8, 5, 6
  };
  private static final int[] RIGHT_SHIFTS = {
    8, 9, 9, 11, 13, 15, 15, 5, 7, 7, 8, 11, 14, 14, 12, 6,
    9, 13, 15, 7, 12, 8, 9, 11, 7, 7, 12, 7, 6, 15, 13, 11,
    9, 7, 15, 11, 8, 6, 6, 14, 12, 13, 5, 14, 13, 13, 7, 5,
    15, 5, 8, 11, 14, 14, 6, 14, 6, 9, 12, 9, 12, 5, 15, 8,
    8, 5, 12, 9, 12, 5, 14, 6, 8, 13, 6, 5, 15, 13, 11, 11
  };
  private static final int[] LEFT_CONSTANTS = {0, 0x5a827999, 0x6ed9eba1, 0x8f1bbcdc, 0xa953fd4e};
  private static final int[] RIGHT_CONSTANTS = {0x50a28be6, 0x5c4dd124, 0x6d703ef3, 0x7a6d76e9, 0};
  private static final int[] INITIAL = {0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476, 0xc3d2e1f0};

  private final int[] state = INITIAL.clone();
  private final int[] words = new int[BLOCK_BYTES / Integer.BYTES];
  private final byte[] pending = new byte[BLOCK_BYTES];
  private long totalBytes;

  Ripemd160() {
    super("RIPEMD160");
  }

  @Override
  protected int engineGetDigestLength() {
    return HashAlgorithm.DIGEST_BYTES;
  }

  @Override
  protected void engineReset() {
    System.arraycopy(INITIAL, 0, state, 0, state.length);
    totalBytes = 0;
  }

  @Override
  protected void engineUpdate(byte input) {
    int filled = (int) (totalBytes % BLOCK_BYTES);
    pending[filled] = input;
    totalBytes++;
    if (filled + 1 == BLOCK_BYTES) {
      absorb(pending, 0);
    }
  }

  @Override
  protected void engineUpdate(byte[] input, int offset, int length) {
    int from = offset;
    int left = length;
    int filled = (int) (totalBytes % BLOCK_BYTES);
    totalBytes += length;
    if (filled > 0) {
      int taken = Math.min(left, BLOCK_BYTES - filled);
      System.arraycopy(input, from, pending, filled, taken);
      from += taken;
      left -= taken;
      if (filled + taken < BLOCK_BYTES) {
        return;
      }
      absorb(pending, 0);
    }
    while (left >= BLOCK_BYTES) {
      absorb(input, from);
      from += BLOCK_BYTES;
      left -= BLOCK_BYTES;
    }
    System.arraycopy(input, from, pending, 0, left);
  }

  @Override
  protected byte[] engineDigest() {
    long totalBits = totalBytes * Byte.SIZE;
    int filled = (int) (totalBytes % BLOCK_BYTES);
    pending[filled] = (byte) 0x80;
    Arrays.fill(pending, filled + 1, BLOCK_BYTES, (byte) 0);
    if (filled + 1 > BLOCK_BYTES - LENGTH_BYTES) {
      absorb(pending, 0);
      Arrays.fill(pending, (byte) 0);
    }
    LONGS.set(pending, BLOCK_BYTES - LENGTH_BYTES, totalBits);
    absorb(pending, 0);
    byte[] digest = new byte[HashAlgorithm.DIGEST_BYTES];
    for (int i = 0; i < state.length; i++) {
      INTS.set(digest, i * Integer.BYTES, state[i]);
    }
    engineReset();
    return digest;
  }

  private void absorb(byte[] block, int offset) {
    for (int i = 0; i < words.length; i++) {
      words[i] = (int) INTS.get(block, offset + i * Integer.BYTES);
    }
    int a = state[0];
    int b = state[1];
    int c = state[2];
    int d = state[3];
    int e = state[4];
    int a2 = a;
    int b2 = b;
    int c2 = c;
    int d2 = d;
    int e2 = e;
    for (int step = 0; step < LEFT_WORDS.length; step++) {
      int round = step >> 4;
      int sum = a + mix(round, b, c, d) + words[LEFT_WORDS[step]] + LEFT_CONSTANTS[round];
      int next = Integer.rotateLeft(sum, LEFT_SHIFTS[step]) + e;
      a = e;
      e = d;
      d = Integer.rotateLeft(c, 10);
      c = b;
      b = next;

      sum = a2 + mix(4 - round, b2, c2, d2) + words[RIGHT_WORDS[step]] + RIGHT_CONSTANTS[round];
      next = Integer.rotateLeft(sum, RIGHT_SHIFTS[step]) + e2;
      a2 = e2;
      e2 = d2;
      d2 = Integer.rotateLeft(c2, 10);
      c2 = b2;
      b2 = next;
    }
    int first = state[1] + c + d2;
    state[1] = state[2] + d + e2;
    state[2] = state[3] + e + a2;
    state[3] = state[4] + a + b2;
    state[4] = state[0] + b + c2;
    state[0] = first;
  }

  private static int mix(int round, int x, int y, int z) {
    return switch (round) {
      case 0 -> x ^ y ^ z;
      case 1 -> (x & y) | (~x & z);
      case 2 -> (x | ~y) ^ z;
      case 3 -> (x & z) | (y & ~z);
      default -> x ^ (y | ~z);
    };
  }
}
