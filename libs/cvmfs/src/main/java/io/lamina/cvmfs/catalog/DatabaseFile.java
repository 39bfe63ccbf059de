package io.lamina.cvmfs.catalog;

import io.lamina.cvmfs.CvmfsException;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/**
 * The pages of an SQLite database that is written once, from front to back, in memory.
 *
 * <p>Trees are written in key order with full pages, so the bytes depend on the rows alone, on no
 * SQLite version, and the file is as small as its page size allows.
 *
 * <p>Source: SQLite's "Database File Format", sections 1.3 and 1.6. Not thread-safe.
 */
final class DatabaseFile {
  static final int FILE_HEADER_BYTES = 100;

  /** Page 1 holds the schema and is written last. */
  static final int SCHEMA_PAGE = 1;

  /** SQLite keeps its locks at this offset, in a page that a longer file has to leave out. */
  private static final int MAX_FILE_BYTES = 1 << 30;

  private static final byte[] MAGIC = "SQLite format 3\0".getBytes(StandardCharsets.US_ASCII);
  private static final int SCHEMA_FORMAT = 4;
  private static final int UTF_8 = 1;

  /** What the header names as the last writer: the first version with all that is used here. */
  private static final int WRITER_VERSION = 3_008_000;

  private final int pageBytes;
  private byte[] bytes;
  private int pages = 1;

  DatabaseFile(int pageBytes) {
    this.pageBytes = pageBytes;
    this.bytes = new byte[16 * pageBytes];
  }

  int pageBytes() {
    return pageBytes;
  }

  /** Takes the next page and returns its number, counted from 1. */
  int allocate() {
    if ((long) (pages + 1) * pageBytes > MAX_FILE_BYTES) {
      throw new CvmfsException.Rejected(
          "a catalog grows over " + MAX_FILE_BYTES + " bytes; split the directory tree");
    }
    pages++;
    if (bytes.length < pages * pageBytes) {
      bytes = Arrays.copyOf(bytes, (int) Math.min(MAX_FILE_BYTES, 2L * bytes.length));
    }
    return pages;
  }

  void writePage(int number, byte[] page) {
    System.arraycopy(page, 0, bytes, (number - 1) * pageBytes, pageBytes);
  }

  /** Writes the file header into page 1 and gives the file away. */
  byte[] finish() {
    System.arraycopy(MAGIC, 0, bytes, 0, MAGIC.length);
    putShort(bytes, 16, pageBytes);
    bytes[18] = 1;
    bytes[19] = 1;
    bytes[21] = 64;
    bytes[22] = 32;
    bytes[23] = 32;
    putInt(bytes, 28, pages);
    putInt(bytes, 40, 1);
    putInt(bytes, 44, SCHEMA_FORMAT);
    putInt(bytes, 56, UTF_8);
    stampHeader(bytes);
    return Arrays.copyOf(bytes, pages * pageBytes);
  }

  /** Takes the number of changes and SQLite's own version out of a file's header. */
  static void stampHeader(byte[] database) {
    putInt(database, 24, 1);
    putInt(database, 92, 1);
    putInt(database, 96, WRITER_VERSION);
  }

  static void putShort(byte[] target, int position, int value) {
    target[position] = (byte) (value >> 8);
    target[position + 1] = (byte) value;
  }

  static void putInt(byte[] target, int position, int value) {
    putShort(target, position, value >> 16);
    putShort(target, position + 2, value);
  }
}
