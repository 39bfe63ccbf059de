package io.lamina.cvmfs.catalog;

import java.util.Arrays;

/**
 * One page of a B-tree that is being filled: cells from the end, pointers to them from the start.
 *
 * <p>Source: SQLite's "Database File Format", section 1.6. Reused page after page; not thread-safe.
 */
final class BTreePage {
  static final int INDEX_INTERIOR = 2;
  static final int TABLE_INTERIOR = 5;
  static final int INDEX_LEAF = 10;
  static final int TABLE_LEAF = 13;

  private static final int LEAF_HEADER_BYTES = 8;
  private static final int INTERIOR_HEADER_BYTES = 12;
  private static final int POINTER_BYTES = 2;

  private final int type;
  private final int start;
  private final byte[] bytes;
  private int cells;
  private int contentStart;

  /**
   * @param start where the page's header stands: 0, or after the file's header on page 1
   */
  BTreePage(int type, int pageBytes, int start) {
    this.type = type;
    this.start = start;
    this.bytes = new byte[pageBytes];
    this.contentStart = pageBytes;
  }

  int cells() {
    return cells;
  }

  boolean fits(int cellBytes) {
    return start + headerBytes() + (cells + 1) * POINTER_BYTES + cellBytes <= contentStart;
  }

  /** Makes room for a cell, which the caller writes to {@link #bytes} at the returned position. */
  int place(int cellBytes) {
    contentStart -= cellBytes;
    DatabaseFile.putShort(bytes, start + headerBytes() + cells * POINTER_BYTES, contentStart);
    cells++;
    return contentStart;
  }

  /** Takes the last cell out again. */
  void removeLast(int cellBytes) {
    Arrays.fill(bytes, contentStart, contentStart + cellBytes, (byte) 0);
    contentStart += cellBytes;
    cells--;
    DatabaseFile.putShort(bytes, start + headerBytes() + cells * POINTER_BYTES, 0);
  }

  byte[] bytes() {
    return bytes;
  }

  /** Writes the page as a leaf and empties it. */
  void flush(DatabaseFile file, int number) {
    flush(file, number, 0);
  }

  /** Writes the page with its right-most child and empties it. */
  void flush(DatabaseFile file, int number, int rightChild) {
    bytes[start] = (byte) type;
    DatabaseFile.putShort(bytes, start + 3, cells);
    DatabaseFile.putShort(bytes, start + 5, contentStart);
    if (isInterior()) {
      DatabaseFile.putInt(bytes, start + 8, rightChild);
    }
    file.writePage(number, bytes);
    Arrays.fill(bytes, (byte) 0);
    cells = 0;
    contentStart = bytes.length;
  }

  private boolean isInterior() {
    return type == INDEX_INTERIOR || type == TABLE_INTERIOR;
  }

  private int headerBytes() {
    return isInterior() ? INTERIOR_HEADER_BYTES : LEAF_HEADER_BYTES;
  }
}
