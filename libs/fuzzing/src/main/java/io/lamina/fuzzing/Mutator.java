package io.lamina.fuzzing;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import java.util.random.RandomGenerator;

/** Changes inputs; the same random numbers give the same inputs. One thread. */
final class Mutator {
  /** No input is longer: what is looked for needs no size. */
  static final int MAX_BYTES = 256 << 10;

  private static final long[] EDGES = {
    0,
    1,
    -1,
    2,
    7,
    8,
    127,
    128,
    255,
    256,
    511,
    512,
    513,
    32_767,
    32_768,
    65_535,
    65_536,
    Integer.MAX_VALUE,
    Integer.MIN_VALUE,
    0xffff_ffffL,
    0x1_0000_0000L,
    Long.MAX_VALUE,
    Long.MIN_VALUE,
    Long.MAX_VALUE - 511
  };

  private static final List<String> NUMBERS =
      List.of(
          "0",
          "-1",
          "1e400",
          "9223372036854775807",
          "9223372036854775808",
          "18446744073709551616",
          "00000000000",
          "77777777777",
          "4294967296",
          "0.1",
          "1" + "0".repeat(400));

  private final RandomGenerator random;
  private final List<byte[]> words;

  Mutator(RandomGenerator random, List<byte[]> words) {
    this.random = random;
    this.words = words;
  }

  /** One to a few changes of {@code input}; {@code other} gives parts. */
  byte[] change(byte[] input, byte[] other) {
    byte[] changed = input;
    int times = 1 << random.nextInt(4);
    for (int i = 0; i < times; i++) {
      changed = changeOnce(changed, other);
      if (changed.length > MAX_BYTES) {
        changed = Arrays.copyOf(changed, MAX_BYTES);
      }
    }
    return changed;
  }

  private byte[] changeOnce(byte[] input, byte[] other) {
    return switch (random.nextInt(12)) {
      case 0 -> flip(input);
      case 1 -> overwrite(input, new byte[] {(byte) random.nextInt()});
      case 2 -> overwrite(input, edge());
      case 3 -> cut(input);
      case 4 -> without(input);
      case 5 -> inserted(input, part(input));
      case 6 -> inserted(input, part(other));
      case 7 -> overwrite(input, part(other));
      case 8 -> number(input);
      case 9 -> words.isEmpty() ? flip(input) : inserted(input, word());
      case 10 -> words.isEmpty() ? flip(input) : overwrite(input, word());
      default -> repeated(input);
    };
  }

  private byte[] word() {
    return words.get(random.nextInt(words.size()));
  }

  private byte[] flip(byte[] input) {
    byte[] copy = input.clone();
    if (copy.length > 0) {
      copy[random.nextInt(copy.length)] ^= (byte) (1 << random.nextInt(8));
    }
    return copy;
  }

  private byte[] overwrite(byte[] input, byte[] what) {
    byte[] copy = input.clone();
    if (copy.length > 0) {
      int at = random.nextInt(copy.length);
      System.arraycopy(what, 0, copy, at, Math.min(what.length, copy.length - at));
    }
    return copy;
  }

  /** An edge of number ranges in 1 to 8 bytes of either order. */
  private byte[] edge() {
    long value = EDGES[random.nextInt(EDGES.length)];
    int size = 1 << random.nextInt(4);
    boolean isLittle = random.nextBoolean();
    byte[] bytes = new byte[size];
    for (int i = 0; i < size; i++) {
      bytes[isLittle ? i : size - 1 - i] = (byte) (value >>> (8 * i));
    }
    return bytes;
  }

  private byte[] cut(byte[] input) {
    return Arrays.copyOf(input, input.length == 0 ? 0 : random.nextInt(input.length));
  }

  private byte[] without(byte[] input) {
    byte[] part = part(input);
    if (part.length == 0) {
      return input;
    }
    int at = random.nextInt(input.length - part.length + 1);
    byte[] rest = Arrays.copyOf(input, input.length - part.length);
    System.arraycopy(input, at + part.length, rest, at, rest.length - at);
    return rest;
  }

  /** Mostly short, now and then of any length. */
  private byte[] part(byte[] input) {
    if (input.length == 0) {
      return input;
    }
    int most = random.nextInt(4) == 0 ? input.length : Math.min(input.length, 64);
    int size = 1 + random.nextInt(most);
    int from = random.nextInt(input.length - size + 1);
    return Arrays.copyOfRange(input, from, from + size);
  }

  private byte[] inserted(byte[] input, byte[] what) {
    int at = random.nextInt(input.length + 1);
    byte[] longer = Arrays.copyOf(input, input.length + what.length);
    System.arraycopy(what, 0, longer, at, what.length);
    System.arraycopy(input, at, longer, at + what.length, input.length - at);
    return longer;
  }

  /** The same again and again, as in deep nesting. */
  private byte[] repeated(byte[] input) {
    byte[] part = part(input);
    if (part.length == 0) {
      return input;
    }
    int times = 1 << random.nextInt(11);
    int length = Math.min(MAX_BYTES, part.length * times);
    byte[] many = new byte[length];
    for (int i = 0; i < length; i++) {
      many[i] = part[i % part.length];
    }
    return inserted(input, many);
  }

  /** A number in the text becomes another one. */
  private byte[] number(byte[] input) {
    for (int tries = 0; tries < 16 && input.length > 0; tries++) {
      int from = random.nextInt(input.length);
      if (input[from] >= '0' && input[from] <= '9') {
        int to = from;
        while (to < input.length && input[to] >= '0' && input[to] <= '9') {
          to++;
        }
        byte[] rest = Arrays.copyOf(input, input.length - (to - from));
        System.arraycopy(input, to, rest, from, input.length - to);
        byte[] text =
            NUMBERS.get(random.nextInt(NUMBERS.size())).getBytes(StandardCharsets.US_ASCII);
        byte[] longer = Arrays.copyOf(rest, rest.length + text.length);
        System.arraycopy(text, 0, longer, from, text.length);
        System.arraycopy(rest, from, longer, from + text.length, rest.length - from);
        return longer;
      }
    }
    return flip(input);
  }
}
