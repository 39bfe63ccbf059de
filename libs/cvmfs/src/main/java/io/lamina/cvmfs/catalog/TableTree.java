package io.lamina.cvmfs.catalog;

import java.util.Arrays;

/**
 * Writes a table's B-tree from rows in ascending order of their rowids.
 *
 * <p>Source: SQLite's "Database File Format", section 1.6. Not thread-safe.
 */
final class TableTree {
  private static final int CHILD_BYTES = 4;

  private final DatabaseFile file;
  private final Payload payload;
  private final BTreePage leaf;
  private long lastRowId;
  private Level leaves = new Level();

  TableTree(DatabaseFile file) {
    this.file = file;
    this.payload = new Payload(file, true);
    this.leaf = new BTreePage(BTreePage.TABLE_LEAF, file.pageBytes(), 0);
  }

  /** Appends a row; {@code rowId} is greater than that of the row before. */
  void add(long rowId, RecordWriter record) {
    payload.load(record);
    int cellBytes = Varint.length(payload.length()) + Varint.length(rowId) + payload.storedBytes();
    if (!leaf.fits(cellBytes)) {
      flushLeaf();
    }
    int position = leaf.place(cellBytes);
    position += Varint.write(leaf.bytes(), position, payload.length());
    position += Varint.write(leaf.bytes(), position, rowId);
    payload.copyTo(leaf.bytes(), position);
    lastRowId = rowId;
  }

  private void flushLeaf() {
    int number = file.allocate();
    leaf.flush(file, number);
    leaves.add(number, lastRowId);
  }

  /** Writes the rest of the tree and returns the page of its root. */
  int finish() {
    if (leaf.cells() > 0 || leaves.count == 0) {
      flushLeaf();
    }
    Level level = leaves;
    while (level.count > 1) {
      level = writeParents(level);
    }
    return level.pages[0];
  }

  /** As {@link #finish}, with the root on page 1; for a tree of two levels. */
  void finishOnSchemaPage() {
    flushLeaf();
    BTreePage root =
        new BTreePage(BTreePage.TABLE_INTERIOR, file.pageBytes(), DatabaseFile.FILE_HEADER_BYTES);
    int last = leaves.count - 1;
    if (last == 0) {
      throw new IllegalStateException("the schema fits into one page of " + file.pageBytes());
    }
    for (int i = 0; i < last; i++) {
      writeCell(root, leaves.pages[i], leaves.lastRowIds[i]);
    }
    root.flush(file, DatabaseFile.SCHEMA_PAGE, leaves.pages[last]);
  }

  private Level writeParents(Level children) {
    Level parents = new Level();
    BTreePage page = new BTreePage(BTreePage.TABLE_INTERIOR, file.pageBytes(), 0);
    int last = children.count - 1;
    for (int i = 0; i < last; i++) {
      int cellBytes = CHILD_BYTES + Varint.length(children.lastRowIds[i]);
      if (page.fits(cellBytes)) {
        writeCell(page, children.pages[i], children.lastRowIds[i]);
        continue;
      }
      int right = i;
      if (i == last - 1) {
        // The last page needs a cell beside its right-most child: this child becomes that cell.
        right = i - 1;
        page.removeLast(CHILD_BYTES + Varint.length(children.lastRowIds[right]));
      }
      flushParent(page, parents, children, right);
      if (right < i) {
        writeCell(page, children.pages[i], children.lastRowIds[i]);
      }
    }
    flushParent(page, parents, children, last);
    return parents;
  }

  private void flushParent(BTreePage page, Level parents, Level children, int right) {
    int number = file.allocate();
    page.flush(file, number, children.pages[right]);
    parents.add(number, children.lastRowIds[right]);
  }

  private static void writeCell(BTreePage page, int child, long lastRowId) {
    int position = page.place(CHILD_BYTES + Varint.length(lastRowId));
    DatabaseFile.putInt(page.bytes(), position, child);
    Varint.write(page.bytes(), position + CHILD_BYTES, lastRowId);
  }

  /** The pages of one level of the tree with the greatest rowid below each. */
  private static final class Level {
    int[] pages = new int[64];
    long[] lastRowIds = new long[64];
    int count;

    void add(int page, long lastRowId) {
      if (count == pages.length) {
        pages = Arrays.copyOf(pages, 2 * count);
        lastRowIds = Arrays.copyOf(lastRowIds, 2 * count);
      }
      pages[count] = page;
      lastRowIds[count] = lastRowId;
      count++;
    }
  }
}
