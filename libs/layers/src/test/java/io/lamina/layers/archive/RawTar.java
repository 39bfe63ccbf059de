package io.lamina.layers.archive;

import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;

/** Writes archives that tools would not: any name, any type, any order. */
public final class RawTar {
  private final ByteArrayOutputStream out = new ByteArrayOutputStream();

  public static byte[] latin1(String text) {
    return text.getBytes(StandardCharsets.ISO_8859_1);
  }

  public RawTar file(String name, String content) {
    return entry(name, '0', "", latin1(content));
  }

  public RawTar directory(String name) {
    return entry(name, '5', "", new byte[0]);
  }

  public RawTar symlink(String name, String target) {
    return entry(name, '2', target, new byte[0]);
  }

  public RawTar hardLink(String name, String target) {
    return entry(name, '1', target, new byte[0]);
  }

  public RawTar fifo(String name) {
    return entry(name, '6', "", new byte[0]);
  }

  public RawTar pax(char type, String key, byte[] value) {
    int rest = key.length() + value.length + 3;
    int length = rest + Integer.toString(rest).length();
    length = rest + Integer.toString(length).length();
    ByteArrayOutputStream body = new ByteArrayOutputStream();
    body.writeBytes(latin1(length + " " + key + "="));
    body.writeBytes(value);
    body.write('\n');
    return entry("pax", type, "", body.toByteArray());
  }

  /** Names and targets are Latin-1. */
  public RawTar entry(String name, char type, String link, byte[] content) {
    byte[] block = new byte[512];
    put(block, 0, latin1(name));
    put(block, 100, latin1(type == '5' ? "0000755" : "0000644"));
    put(block, 108, latin1("0000000"));
    put(block, 116, latin1("0000000"));
    put(block, 124, latin1(String.format("%011o", content.length)));
    put(block, 136, latin1("14524550000"));
    block[156] = (byte) type;
    put(block, 157, latin1(link));
    put(block, 257, latin1("ustar\00000"));
    put(block, 148, latin1("        "));
    int sum = 0;
    for (byte b : block) {
      sum += b & 0xff;
    }
    put(block, 148, latin1(String.format("%06o\0 ", sum)));
    out.writeBytes(block);
    out.writeBytes(content);
    out.writeBytes(new byte[-content.length & 511]);
    return this;
  }

  private static void put(byte[] block, int offset, byte[] value) {
    System.arraycopy(value, 0, block, offset, value.length);
  }

  /** Without the blocks that mark the end. */
  public byte[] unended() {
    return out.toByteArray();
  }

  public byte[] end() {
    ByteArrayOutputStream all = new ByteArrayOutputStream();
    all.writeBytes(out.toByteArray());
    all.writeBytes(new byte[1024]);
    return all.toByteArray();
  }
}
