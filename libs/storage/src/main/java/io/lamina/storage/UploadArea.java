package io.lamina.storage;

import java.util.regex.Pattern;

/**
 * Where archives that were uploaded for publication lie in a repository's storage, beside what is
 * published: the gateway puts them there verified, converters fetch them by digest. Stateless.
 */
public final class UploadArea {
  /** All uploads start with it. */
  public static final String PREFIX = "uploads/";

  private static final Pattern SHA256 = Pattern.compile("[0-9a-f]{64}");

  private UploadArea() {}

  /**
   * @param sha256Hex of the archive's bytes, lower case
   * @throws StorageException.Rejected if it is anything else
   */
  public static ObjectKey keyOf(String sha256Hex) {
    if (!SHA256.matcher(sha256Hex).matches()) {
      throw new StorageException.Rejected("not a SHA-256 in hex: '" + sha256Hex + "'");
    }
    return new ObjectKey(PREFIX + sha256Hex.substring(0, 2) + "/" + sha256Hex);
  }
}
