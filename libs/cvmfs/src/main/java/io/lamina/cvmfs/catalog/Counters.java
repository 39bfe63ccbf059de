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
