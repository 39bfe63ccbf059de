package io.lamina.cvmfs.catalog;

import java.util.function.ToLongFunction;

/** The names of {@link Counters} in the {@code statistics} table, in their order there. */
public enum CounterName {
  REGULAR("regular", Counters::regular),
  SYMLINK("symlink", Counters::symlink),
  SPECIAL("special", Counters::special),
  DIR("dir", Counters::dir),
  NESTED("nested", Counters::nested),
  CHUNKED("chunked", Counters::chunked),
  CHUNKS("chunks", Counters::chunks),
  FILE_SIZE("file_size", Counters::fileSize),
  CHUNKED_SIZE("chunked_size", Counters::chunkedSize),
  XATTR("xattr", Counters::xattr),
  EXTERNAL("external", Counters::external),
  EXTERNAL_FILE_SIZE("external_file_size", Counters::externalFileSize);

  private static final String SELF = "self_";
  private static final String SUBTREE = "subtree_";

  private final String text;
  private final ToLongFunction<Counters> accessor;

  CounterName(String text, ToLongFunction<Counters> accessor) {
    this.text = text;
    this.accessor = accessor;
  }

  /** The row that counts the catalog's own entries. */
  public String self() {
    return SELF + text;
  }

  /** The row that counts what lies in the catalogs below. */
  public String subtree() {
    return SUBTREE + text;
  }

  /** This statistic among others. */
  public long of(Counters counters) {
    return accessor.applyAsLong(counters);
  }

  /** Counters from values in the order of this enumeration. */
  static Counters collect(ToLongFunction<CounterName> values) {
    return new Counters(
        values.applyAsLong(REGULAR),
        values.applyAsLong(SYMLINK),
        values.applyAsLong(SPECIAL),
        values.applyAsLong(DIR),
        values.applyAsLong(NESTED),
        values.applyAsLong(CHUNKED),
        values.applyAsLong(CHUNKS),
        values.applyAsLong(FILE_SIZE),
        values.applyAsLong(CHUNKED_SIZE),
        values.applyAsLong(XATTR),
        values.applyAsLong(EXTERNAL),
        values.applyAsLong(EXTERNAL_FILE_SIZE));
  }
}
