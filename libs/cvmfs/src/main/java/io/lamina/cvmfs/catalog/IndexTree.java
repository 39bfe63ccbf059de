package io.lamina.cvmfs.catalog;

import java.util.Arrays;

/**
 * Writes an index's B-tree from entries in ascending order. An index, unlike a table, keeps entries
 * in its inner pages too: each entry that finds its page full moves up and divides that page from
 * the next.
 *
 * <p>Source: SQLite's "Database File Format", section 1.6. Not thread-safe.
 */
final class IndexTree {
  private static final int CHILD_BYTES = 4;

  private final DatabaseFile file;
  private final Payload payload;
  private final BTreePage leaf;
  private final Level dividers = new Level();
  private final int total;
  private int added;
  private byte[] lastCell = {};

  /**
   * @param total how many entries will come
   */
  IndexTree(DatabaseFile file, int total) {
    this.file = file;
    this.total = total;
    this.payload = new Payload(file, false);
    this.leaf = new BTreePage(BTreePage.INDEX_LEAF, file.pageBytes(), 0);
  }

  /** Appends an entry: the indexed columns, then the rowid. */
  void add(RecordWriter record) {
    payload.load(record);
    int cellBytes = Varint.length(payload.length()) + payload.storedBytes();
    byte[] cell = new byte[cellBytes];
    payload.copyTo(cell, Varint.write(cell, 0, payload.length()));
    added++;
    if (leaf.fits(cellBytes)) {
      place(leaf, cell);
    } else if (added < total) {
      flushLeaf(cell);
    } else {
      // No entry is left for a page after this divider: the entry before moves up instead.
      leaf.removeLast(lastCell.length);
      flushLeaf(lastCell);
      place(leaf, cell);
    }
    lastCell = cell;
  }

  private void flushLeaf(byte[] divider) {
    int number = file.allocate();
    leaf.flush(file, number);
    dividers.add(number, divider);
  }

  private static void place(BTreePage page, byte[] cell) {
    System.arraycopy(cell, 0, page.bytes(), page.place(cell.length), cell.length);
  }

  /** Writes the rest of the tree and returns the page of its root. */
  int finish() {
    if (added != total) {
      throw new IllegalStateException(added + " index entries came, not " + total);
    }
    int last = file.allocate();
    leaf.flush(file, last);
    Level level = dividers;
    level.lastPage = last;
    while (level.count > 0) {
      level = writeParents(level);
    }
    return level.lastPage;
  }

  private Level writeParents(Level children) {
    Level parents = new Level();
    BTreePage page = new BTreePage(BTreePage.INDEX_INTERIOR, file.pageBytes(), 0);
    for (int i = 0; i < children.count; i++) {
      byte[] divider = children.cells[i];
      if (page.fits(CHILD_BYTES + divider.length)) {
        placeInner(page, children.pages[i], divider);
        continue;
      }
      int up = i;
      if (i == children.count - 1) {
        up = i - 1;
        page.removeLast(CHILD_BYTES + children.cells[up].length);
      }
      int number = file.allocate();
      page.flush(file, number, children.pages[up]);
      parents.add(number, children.cells[up]);
      if (up < i) {
        placeInner(page, children.pages[i], divider);
      }
    }
    parents.lastPage = file.allocate();
    page.flush(file, parents.lastPage, children.lastPage);
    return parents;
  }

  private static void placeInner(BTreePage page, int child, byte[] divider) {
    int position = page.place(CHILD_BYTES + divider.length);
    DatabaseFile.putInt(page.bytes(), position, child);
    System.arraycopy(divider, 0, page.bytes(), position + CHILD_BYTES, divider.length);
  }

  /** Pages of one level, each with the entry that divides it from the next, and the last page. */
  private static final class Level {
    int[] pages = new int[64];
    byte[][] cells = new byte[64][];
    int count;
    int lastPage;

    void add(int page, byte[] divider) {
      if (count == pages.length) {
        pages = Arrays.copyOf(pages, 2 * count);
        cells = Arrays.copyOf(cells, 2 * count);
      }
      pages[count] = page;
      cells[count] = divider;
      count++;
    }
  }
}
