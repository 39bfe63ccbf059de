package io.lamina.cvmfs.catalog;

import java.util.Arrays;

/**
 * A record on its way into a cell: the part that stays in the cell, the rest on overflow pages.
 *
 * <p>Source: SQLite's "Database File Format", section 1.6, "Cell payload overflow". Reused; not
 * thread-safe.
 */
final class Payload {
  private static final int PAGE_NUMBER_BYTES = 4;

  private final DatabaseFile file;
  private final int maxLocalBytes;
  private byte[] bytes = new byte[1024];
  private int length;
  private int localBytes;
  private int firstOverflowPage;

  /**
   * @param ofTable whether for cells of a table's leaves, else for cells of an index
   */
  Payload(DatabaseFile file, boolean ofTable) {
    this.file = file;
    int usable = file.pageBytes();
    this.maxLocalBytes = ofTable ? usable - 35 : (usable - 12) * 64 / 255 - 23;
  }

  /** Takes a record over and writes what does not fit into a cell to overflow pages. */
  void load(RecordWriter record) {
    length = record.length();
    if (bytes.length < length) {
      bytes = new byte[2 * length];
    }
    record.copyTo(bytes, 0);
    localBytes = localBytes();
    firstOverflowPage = localBytes < length ? writeOverflow() : 0;
  }

  private int localBytes() {
    if (length <= maxLocalBytes) {
      return length;
    }
    int usable = file.pageBytes();
    int minLocalBytes = (usable - 12) * 32 / 255 - 23;
    int fitting = minLocalBytes + (length - minLocalBytes) % (usable - PAGE_NUMBER_BYTES);
    return fitting <= maxLocalBytes ? fitting : minLocalBytes;
  }

  private int writeOverflow() {
    int room = file.pageBytes() - PAGE_NUMBER_BYTES;
    int first = file.allocate();
    int number = first;
    byte[] page = new byte[file.pageBytes()];
    for (int from = localBytes; from < length; from += room) {
      int part = Math.min(room, length - from);
      int next = from + part < length ? file.allocate() : 0;
      Arrays.fill(page, (byte) 0);
      DatabaseFile.putInt(page, 0, next);
      System.arraycopy(bytes, from, page, PAGE_NUMBER_BYTES, part);
      file.writePage(number, page);
      number = next;
    }
    return first;
  }

  /** The length of the record, which stands in front of it in a cell. */
  int length() {
    return length;
  }

  /** Bytes in the cell: the local part and the number of the first overflow page. */
  int storedBytes() {
    return localBytes + (firstOverflowPage == 0 ? 0 : PAGE_NUMBER_BYTES);
  }

  void copyTo(byte[] target, int position) {
    System.arraycopy(bytes, 0, target, position, localBytes);
    if (firstOverflowPage != 0) {
      DatabaseFile.putInt(target, position + localBytes, firstOverflowPage);
    }
  }
}
