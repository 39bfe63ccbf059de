package io.lamina.image.layer;

import io.lamina.image.ImageException;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * One 512-byte header block, in whatever dialect: V7, POSIX ustar, GNU, star.
 *
 * <p>Source: POSIX.1-2024 "pax", "ustar Interchange Format"; GNU tar manual, "Basic Tar Format".
 */
final class TarHeader {
  static final int BLOCK_BYTES = 512;

  private static final int CHECKSUM = 148;
  private static final int CHECKSUM_BYTES = 8;
  private static final int MAGIC = 257;
  private static final int PREFIX = 345;
  private static final int OLD_SPARSE = 386;
  private static final int OLD_SPARSE_EXTENDED = 482;
  private static final int OLD_SPARSE_REAL_SIZE = 483;

  private enum Dialect {
    V7,
    USTAR,
    STAR,
    GNU
  }

  private final byte[] block;
  private final Dialect dialect;
  private final String shown;

  private TarHeader(byte[] block, long offset) {
    this.block = block;
    this.dialect = dialect(block);
    this.shown = "entry '" + LayerPath.display(name()) + "' (header at byte " + offset + ")";
  }

  /**
   * Reads a block; null if it is all zero, as at the end of an archive.
   *
   * @throws ImageException.Rejected if the checksum is wrong
   */
  static @Nullable TarHeader parse(byte[] block, long offset) {
    long unsigned = 0;
    long signed = 0;
    boolean zero = true;
    for (int i = 0; i < BLOCK_BYTES; i++) {
      byte b = block[i];
      zero &= b == 0;
      byte counted = i >= CHECKSUM && i < CHECKSUM + CHECKSUM_BYTES ? (byte) ' ' : b;
      unsigned += counted & 0xff;
      signed += counted;
    }
    if (zero) {
      return null;
    }
    long expected =
        TarNumbers.parse(
            block, CHECKSUM, CHECKSUM_BYTES, "the checksum of the tar header at byte " + offset);
    if (expected != unsigned && expected != signed) {
      throw new ImageException.Rejected(
          "no tar header at byte "
              + offset
              + " of the layer: checksum "
              + unsigned
              + ", recorded "
              + expected);
    }
    return new TarHeader(block.clone(), offset);
  }

  private static Dialect dialect(byte[] block) {
    String magic = new String(block, MAGIC, 8, StandardCharsets.ISO_8859_1);
    if (magic.equals("ustar  \0")) {
      return Dialect.GNU;
    }
    if (magic.startsWith("ustar")) {
      return new String(block, 508, 4, StandardCharsets.ISO_8859_1).equals("tar\0")
          ? Dialect.STAR
          : Dialect.USTAR;
    }
    return Dialect.V7;
  }

  /** For messages. */
  @Override
  public String toString() {
    return shown;
  }

  char type() {
    return (char) (block[156] & 0xff);
  }

  /** Raw name, with the prefix field of the dialects that have one. */
  byte[] name() {
    byte[] name = text(0, 100);
    int prefixBytes =
        switch (dialect) {
          case USTAR -> 155;
          case STAR -> 131;
          case V7, GNU -> 0;
        };
    byte[] prefix = text(PREFIX, prefixBytes);
    if (prefix.length == 0) {
      return name;
    }
    byte[] all = Arrays.copyOf(prefix, prefix.length + 1 + name.length);
    all[prefix.length] = '/';
    System.arraycopy(name, 0, all, prefix.length + 1, name.length);
    return all;
  }

  byte[] linkName() {
    return text(157, 100);
  }

  long mode() {
    return number(100, 8, "mode");
  }

  long uid() {
    return number(108, 8, "uid");
  }

  long gid() {
    return number(116, 8, "gid");
  }

  /** Never negative. */
  long sizeBytes() {
    long size = number(124, 12, "size");
    if (size < 0) {
      throw new ImageException.Rejected("negative size " + size + " of " + shown);
    }
    return size;
  }

  long mtimeSeconds() {
    return number(136, 12, "mtime");
  }

  long deviceMajor() {
    return dialect == Dialect.V7 ? 0 : number(329, 8, "device major");
  }

  long deviceMinor() {
    return dialect == Dialect.V7 ? 0 : number(337, 8, "device minor");
  }

  /** Of an old GNU sparse file: its full length. */
  long sparseRealSize() {
    return number(OLD_SPARSE_REAL_SIZE, 12, "sparse size");
  }

  /**
   * Of an old GNU sparse file: adds the four segments of this block; whether more blocks follow.
   */
  boolean sparseSegments(SparseMap.Collector segments) {
    segments.addOldGnu(block, OLD_SPARSE, 4, shown);
    return block[OLD_SPARSE_EXTENDED] != 0;
  }

  private long number(int offset, int length, String field) {
    return TarNumbers.parse(block, offset, length, field + " of " + shown);
  }

  private byte[] text(int offset, int length) {
    int end = offset;
    while (end < offset + length && block[end] != 0) {
      end++;
    }
    return Arrays.copyOfRange(block, offset, end);
  }
}
