package io.lamina.cvmfs;

/**
 * What an object is; decides the suffix of its file name.
 *
 * <p>Source: docs/format/objects.md, "Object names". Immutable.
 */
public enum ObjectKind {
  FILE(""),
  CHUNK("P"),
  CATALOG("C"),
  HISTORY("H"),
  CERTIFICATE("X"),
  METAINFO("M");

  private final String suffix;

  ObjectKind(String suffix) {
    this.suffix = suffix;
  }

  public String suffix() {
    return suffix;
  }

  /** The object's path below the repository's root, such as {@code data/ab/cdef…C}. */
  public String pathOf(ContentHash hash) {
    String hex = hash.hex();
    return "data/"
        + hex.substring(0, 2)
        + "/"
        + hex.substring(2)
        + hash.algorithm().textSuffix()
        + suffix;
  }
}
