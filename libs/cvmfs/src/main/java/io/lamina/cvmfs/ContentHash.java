package io.lamina.cvmfs;

import java.util.Arrays;
import java.util.HexFormat;

/**
 * The hash of an object's stored bytes (after compression), which is also its name.
 *
 * <p>Source: docs/format/objects.md, "Hash algorithms" and "Object names". Immutable.
 */
public final class ContentHash implements Comparable<ContentHash> {
  private static final HexFormat HEX = HexFormat.of();
  private static final int HEX_CHARS = 2 * HashAlgorithm.DIGEST_BYTES;

  private final HashAlgorithm algorithm;
  private final byte[] digest;

  private ContentHash(HashAlgorithm algorithm, byte[] digest) {
    this.algorithm = algorithm;
    this.digest = digest;
  }

  /**
   * Takes the first 20 bytes of {@code digest}.
   *
   * @throws CvmfsException.Rejected if there are fewer
   */
  public static ContentHash of(HashAlgorithm algorithm, byte[] digest) {
    if (digest.length < HashAlgorithm.DIGEST_BYTES) {
      throw new CvmfsException.Rejected(
          "a content hash has 20 bytes, not " + digest.length + ": " + HEX.formatHex(digest));
    }
    return new ContentHash(algorithm, Arrays.copyOf(digest, HashAlgorithm.DIGEST_BYTES));
  }

  /**
   * Reads {@code 40 hex digits[-rmd160|-shake128]}, without an object suffix.
   *
   * @throws CvmfsException.Rejected if the text is anything else
   */
  public static ContentHash parse(String text) {
    for (HashAlgorithm algorithm : HashAlgorithm.values()) {
      if (text.length() == HEX_CHARS + algorithm.textSuffix().length()
          && text.endsWith(algorithm.textSuffix())) {
        String hex = text.substring(0, HEX_CHARS);
        if (hex.chars().allMatch(c -> (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'))) {
          return new ContentHash(algorithm, HEX.parseHex(hex));
        }
      }
    }
    throw new CvmfsException.Rejected(
        "not a content hash (40 lower-case hex digits, then nothing, -rmd160 or -shake128): "
            + text);
  }

  public HashAlgorithm algorithm() {
    return algorithm;
  }

  /** A copy of the 20 digest bytes, as catalogs store them. */
  public byte[] digest() {
    return digest.clone();
  }

  /** The 40 lower-case hex digits, without the algorithm. */
  public String hex() {
    return HEX.formatHex(digest);
  }

  @Override
  public int compareTo(ContentHash other) {
    int byAlgorithm = algorithm.compareTo(other.algorithm);
    return byAlgorithm != 0 ? byAlgorithm : Arrays.compareUnsigned(digest, other.digest);
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof ContentHash that
        && algorithm == that.algorithm
        && Arrays.equals(digest, that.digest);
  }

  @Override
  public int hashCode() {
    return Arrays.hashCode(digest);
  }

  /** The text form used in manifests and catalogs: hex digits and the algorithm's suffix. */
  @Override
  public String toString() {
    return hex() + algorithm.textSuffix();
  }
}
