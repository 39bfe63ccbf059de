package io.lamina.layers.archive;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * Writes an archive in the format of POSIX pax: the same entries give the same bytes. Names and
 * attributes are raw; what does not fit into a header's field goes into an extended header.
 *
 * <p>Own code because libraries write names and attributes as text. Source: POSIX.1-2024 "pax".
 * Single-threaded.
 */
final class TarWriter {
  static final int BLOCK_BYTES = 512;

  private static final int NAME_BYTES = 100;
  private static final int PREFIX = 345;
  private static final int PREFIX_BYTES = 155;
  private static final long MAX_7_OCTAL = 0x1f_ffff;
  private static final long MAX_11_OCTAL = 0x1_ffff_ffffL;
  private static final String PAX_NAME = "PaxHeaders.0/";

  /** What kind of entry a header starts. */
  enum Type {
    FILE('0'),
    HARD_LINK('1'),
    SYMLINK('2'),
    CHARACTER_DEVICE('3'),
    BLOCK_DEVICE('4'),
    DIRECTORY('5'),
    FIFO('6');

    private final char flag;

    Type(char flag) {
      this.flag = flag;
    }
  }

  /**
   * One entry's header.
   *
   * @param name raw, without leading slash; a directory's ends with one
   * @param link raw target of links; empty for others
   * @param permissions lower twelve bits
   * @param sizeBytes of the content that follows
   * @param xattrs raw values by name (ISO-8859-1)
   */
  record Header(
      Type type,
      byte[] name,
      byte[] link,
      int permissions,
      long uid,
      long gid,
      long sizeBytes,
      long mtimeSeconds,
      int deviceMajor,
      int deviceMinor,
      SortedMap<String, byte[]> xattrs) {}

  private final OutputStream out;
  private final byte[] zeros = new byte[BLOCK_BYTES];

  TarWriter(OutputStream out) {
    this.out = out;
  }

  /** The content, if any, is to be written to the stream next, and {@link #endContent} called. */
  void begin(Header header) throws IOException {
    TreeMap<String, byte[]> extended = new TreeMap<>();
    byte[] block = new byte[BLOCK_BYTES];
    name(block, header.name(), extended);
    if (header.link().length > NAME_BYTES) {
      extended.put("linkpath", header.link());
    }
    System.arraycopy(header.link(), 0, block, 157, Math.min(header.link().length, NAME_BYTES));
    octal(block, 100, 7, header.permissions());
    number(block, 108, 7, header.uid(), MAX_7_OCTAL, "uid", extended);
    number(block, 116, 7, header.gid(), MAX_7_OCTAL, "gid", extended);
    number(block, 124, 11, header.sizeBytes(), MAX_11_OCTAL, "size", extended);
    number(block, 136, 11, header.mtimeSeconds(), MAX_11_OCTAL, "mtime", extended);
    block[156] = (byte) header.type().flag;
    if (header.type() == Type.CHARACTER_DEVICE || header.type() == Type.BLOCK_DEVICE) {
      octal(block, 329, 7, header.deviceMajor());
      octal(block, 337, 7, header.deviceMinor());
    }
    header.xattrs().forEach((attribute, value) -> extended.put("SCHILY.xattr." + attribute, value));
    if (!extended.isEmpty()) {
      extension(header.name(), extended);
    }
    seal(block);
  }

  /** Fills the last block of a content of this many bytes. */
  void endContent(long sizeBytes) throws IOException {
    out.write(zeros, 0, (int) (-sizeBytes & (BLOCK_BYTES - 1)));
  }

  /** The mark behind the last entry. */
  void end() throws IOException {
    out.write(zeros);
    out.write(zeros);
  }

  private static void name(byte[] block, byte[] name, SortedMap<String, byte[]> extended) {
    if (name.length <= NAME_BYTES) {
      System.arraycopy(name, 0, block, 0, name.length);
      return;
    }
    int slash = splitAt(name);
    if (slash > 0) {
      System.arraycopy(name, 0, block, PREFIX, slash);
      System.arraycopy(name, slash + 1, block, 0, name.length - slash - 1);
      return;
    }
    extended.put("path", name);
    System.arraycopy(name, 0, block, 0, NAME_BYTES);
  }

  /** The last slash that leaves a name and a prefix that fit; 0 if there is none. */
  private static int splitAt(byte[] name) {
    for (int i = Math.min(PREFIX_BYTES, name.length - 2); i > 0; i--) {
      if (name[i] == '/') {
        return name.length - i - 1 <= NAME_BYTES ? i : 0;
      }
    }
    return 0;
  }

  private static void number(
      byte[] block,
      int offset,
      int digits,
      long value,
      long max,
      String key,
      SortedMap<String, byte[]> extended) {
    if (value >= 0 && value <= max) {
      octal(block, offset, digits, value);
    } else {
      extended.put(key, Long.toString(value).getBytes(StandardCharsets.US_ASCII));
      octal(block, offset, digits, 0);
    }
  }

  private static void octal(byte[] block, int offset, int digits, long value) {
    long rest = value;
    for (int i = offset + digits - 1; i >= offset; i--) {
      block[i] = (byte) ('0' + (rest & 7));
      rest >>= 3;
    }
  }

  private void extension(byte[] name, SortedMap<String, byte[]> records) throws IOException {
    ByteArrayOutputStream body = new ByteArrayOutputStream();
    for (var record : records.entrySet()) {
      byte[] key = record.getKey().getBytes(StandardCharsets.ISO_8859_1);
      int rest = key.length + record.getValue().length + 3;
      int length = rest + digits(rest);
      // The number counts its own digits, which may make it one longer.
      length = rest + digits(length);
      body.writeBytes(Integer.toString(length).getBytes(StandardCharsets.US_ASCII));
      body.write(' ');
      body.writeBytes(key);
      body.write('=');
      body.writeBytes(record.getValue());
      body.write('\n');
    }
    byte[] block = new byte[BLOCK_BYTES];
    byte[] prefix = PAX_NAME.getBytes(StandardCharsets.US_ASCII);
    System.arraycopy(prefix, 0, block, 0, prefix.length);
    int end = name.length > 0 && name[name.length - 1] == '/' ? name.length - 1 : name.length;
    int start = end;
    while (start > 0 && name[start - 1] != '/') {
      start--;
    }
    int shown = Math.min(end - start, NAME_BYTES - prefix.length);
    System.arraycopy(name, start, block, prefix.length, shown);
    octal(block, 100, 7, 0644);
    octal(block, 108, 7, 0);
    octal(block, 116, 7, 0);
    octal(block, 124, 11, body.size());
    octal(block, 136, 11, 0);
    block[156] = 'x';
    seal(block);
    body.writeTo(out);
    endContent(body.size());
  }

  private static int digits(int number) {
    return Integer.toString(number).length();
  }

  private void seal(byte[] block) throws IOException {
    byte[] magic = "ustar\00000".getBytes(StandardCharsets.ISO_8859_1);
    System.arraycopy(magic, 0, block, 257, magic.length);
    for (int i = 148; i < 156; i++) {
      block[i] = ' ';
    }
    int sum = 0;
    for (byte b : block) {
      sum += b & 0xff;
    }
    octal(block, 148, 6, sum);
    block[154] = 0;
    out.write(block);
  }
}
