package io.lamina.cvmfs;

/**
 * MD5 of a repository path as the two signed little-endian integers of a catalog row.
 *
 * <p>Source: docs/format/catalogs.md, "Path hashes". Immutable.
 *
 * @param first bytes 0 to 7 of the digest
 * @param second bytes 8 to 15 of the digest
 */
public record PathHash(long first, long second) {
  /** Parent of the repository's root: no path hashes to it. */
  public static final PathHash NONE = new PathHash(0, 0);
}
