package io.lamina.cvmfs;

import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;

/**
 * A content hash algorithm that a CVMFS repository may use; every digest has 20 bytes.
 *
 * <p>Source: docs/format/objects.md, "Hash algorithms". Immutable.
 */
public enum HashAlgorithm {
  SHA1(0, ""),
  RIPEMD160(1, "-rmd160"),
  SHAKE128(2, "-shake128");

  /** Digest length of every algorithm, in bytes. */
  public static final int DIGEST_BYTES = 20;

  private final int flagValue;
  private final String textSuffix;

  HashAlgorithm(int flagValue, String textSuffix) {
    this.flagValue = flagValue;
    this.textSuffix = textSuffix;
  }

  /** The value in bits 8 to 10 of a catalog entry's flags. */
  public int flagValue() {
    return flagValue;
  }

  /** What follows the hex digits in text and in file names; empty for SHA-1. */
  public String textSuffix() {
    return textSuffix;
  }

  /** A fresh digest whose first {@link #DIGEST_BYTES} bytes are the hash. */
  public MessageDigest newDigest() {
    return switch (this) {
      case SHA1 -> ofProvider("SHA-1");
      case RIPEMD160 -> new Ripemd160();
      case SHAKE128 -> ofProvider("SHAKE128-256");
    };
  }

  private static MessageDigest ofProvider(String name) {
    try {
      return MessageDigest.getInstance(name);
    } catch (NoSuchAlgorithmException e) {
      throw new CvmfsException.Rejected(
          "no provider for hash algorithm " + name + " in this JVM", e);
    }
  }
}
