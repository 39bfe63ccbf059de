package io.lamina.image.layer;

import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/** Writes archives byte by byte, also those that no tool would write. */
final class TarBytes {
  private final ByteArrayOutputStream out = new ByteArrayOutputStream();

  static byte[] latin1(String text) {
    return text.getBytes(StandardCharsets.ISO_8859_1);
  }

  /** One header block with octal numbers, to be changed before it is sealed. */
  static final class Header {
    final byte[] block = new byte[512];

    Header(String name, char type, long size) {
      text(0, 100, latin1(name));
      octal(100, 8, 0644);
      octal(108, 8, 0);
      octal(116, 8, 0);
      octal(124, 12, size);
      octal(136, 12, 1_700_000_000L);
      block[156] = (byte) type;
      text(257, 8, latin1("ustar\00000"));
    }

    Header text(int offset, int length, byte[] value) {
      Arrays.fill(block, offset, offset + length, (byte) 0);
      System.arraycopy(value, 0, block, offset, Math.min(length, value.length));
      return this;
    }

    Header octal(int offset, int length, long value) {
      String digits = Long.toOctalString(value);
      return text(offset, length, latin1("0".repeat(length - 1 - digits.length()) + digits));
    }

    Header magic(String magic) {
      return text(257, 8, latin1(magic));
    }

    Header link(String target) {
      return text(157, 100, latin1(target));
    }

    Header mode(int mode) {
      return octal(100, 8, mode);
    }

    byte[] sealed() {
      text(148, 8, latin1("        "));
      long sum = 0;
      for (byte b : block) {
        sum += b & 0xff;
      }
      text(148, 8, latin1(String.format("%06o\0 ", sum)));
      return block;
    }
  }

  TarBytes add(Header header, byte[] data) {
    out.writeBytes(header.sealed());
    return data(data);
  }

  TarBytes data(byte[] data) {
    out.writeBytes(data);
    out.writeBytes(new byte[-data.length & 511]);
    return this;
  }

  TarBytes file(String name, byte[] data) {
    return add(new Header(name, '0', data.length), data);
  }

  TarBytes entry(String name, char type) {
    return add(new Header(name, type, 0), new byte[0]);
  }

  /** An extended header with records of alternating keys and values. */
  TarBytes pax(char type, byte[]... keysAndValues) {
    byte[] body = paxBody(keysAndValues);
    return add(new Header("PaxHeaders/x", type, body.length), body);
  }

  static byte[] paxBody(byte[]... keysAndValues) {
    ByteArrayOutputStream body = new ByteArrayOutputStream();
    for (int i = 0; i < keysAndValues.length; i += 2) {
      int rest = keysAndValues[i].length + keysAndValues[i + 1].length + 3;
      int length = rest + 1;
      while (Integer.toString(length).length() + rest != length) {
        length = Integer.toString(length).length() + rest;
      }
      body.writeBytes(latin1(length + " "));
      body.writeBytes(keysAndValues[i]);
      body.write('=');
      body.writeBytes(keysAndValues[i + 1]);
      body.write('\n');
    }
    return body.toByteArray();
  }

  TarBytes pax(String... keysAndValues) {
    return pax('x', Arrays.stream(keysAndValues).map(TarBytes::latin1).toArray(byte[][]::new));
  }

  TarBytes raw(byte[] bytes) {
    out.writeBytes(bytes);
    return this;
  }

  byte[] unfinished() {
    return out.toByteArray();
  }

  byte[] end() {
    return raw(new byte[1024]).unfinished();
  }
}
