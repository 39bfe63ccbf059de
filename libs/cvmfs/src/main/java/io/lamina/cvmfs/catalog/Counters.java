package io.lamina.cvmfs.catalog;

/**
 * The twelve statistics that a catalog keeps of its own rows, and again of all catalogs below it.
 *
 * <p>Source: docs/format/catalogs.md, "Counters". Immutable.
 */
public record Counters(
    long regular,
    long symlink,
    long special,
    long dir,
    long nested,
    long chunked,
    long chunks,
    long fileSize,
    long chunkedSize,
    long xattr,
    long external,
    long externalFileSize) {
  public static final Counters ZERO = new Counters(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0);

  /** What naming one nested catalog counts, beside the row of its mountpoint. */
  static final Counters ONE_NESTED = new Counters(0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0);

  /** What one row of this entry counts; a mountpoint's {@code nested} comes on top. */
  public static Counters of(CatalogEntry entry) {
    boolean regular = entry.isRegular();
    boolean chunked = !entry.chunks().isEmpty();
    long fileSize = regular ? entry.sizeBytes() : 0;
    boolean special = !regular && !entry.isDirectory() && !entry.isSymlink();
    return new Counters(
        regular ? 1 : 0,
        entry.isSymlink() ? 1 : 0,
        special ? 1 : 0,
        entry.isDirectory() ? 1 : 0,
        0,
        chunked ? 1 : 0,
        entry.chunks().size(),
        fileSize,
        chunked ? fileSize : 0,
        entry.xattrs().isEmpty() ? 0 : 1,
        0,
        0);
  }

  /** What a stored row counts, whatever it is. */
  static Counters ofRow(CatalogRow row, long chunkRows) {
    int type = row.mode() & CatalogEntry.TYPE_MASK;
    boolean regular = type == CatalogEntry.REGULAR;
    boolean symlink = type == CatalogEntry.SYMLINK;
    boolean external = (row.flags() & CatalogFlags.EXTERNAL) != 0;
    long fileSize = regular ? row.sizeBytes() : 0;
    return new Counters(
        regular ? 1 : 0,
        symlink ? 1 : 0,
        !regular && !symlink && !row.isDirectory() ? 1 : 0,
        row.isDirectory() ? 1 : 0,
        0,
        row.isChunked() ? 1 : 0,
        chunkRows,
        fileSize,
        row.isChunked() ? fileSize : 0,
        row.xattrBlob() == null ? 0 : 1,
        external ? 1 : 0,
        external ? fileSize : 0);
  }

  /** The rows of the {@code catalog} table that these counters describe. */
  public long rows() {
    return regular + symlink + special + dir;
  }

  public Counters plus(Counters other) {
    return new Counters(
        regular + other.regular,
        symlink + other.symlink,
        special + other.special,
        dir + other.dir,
        nested + other.nested,
        chunked + other.chunked,
        chunks + other.chunks,
        fileSize + other.fileSize,
        chunkedSize + other.chunkedSize,
        xattr + other.xattr,
        external + other.external,
        externalFileSize + other.externalFileSize);
  }

  public Counters minus(Counters other) {
    return plus(other.negated());
  }

  private Counters negated() {
    return new Counters(
        -regular,
        -symlink,
        -special,
        -dir,
        -nested,
        -chunked,
        -chunks,
        -fileSize,
        -chunkedSize,
        -xattr,
        -external,
        -externalFileSize);
  }
}
