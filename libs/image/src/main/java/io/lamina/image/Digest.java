package io.lamina.image;

import io.lamina.image.internal.Quoted;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.regex.Pattern;

/**
 * A SHA-256 digest as OCI writes it: {@code sha256:} and 64 lower-case hex digits. Immutable.
 *
 * @param hex the 64 digits
 */
public record Digest(String hex) implements Comparable<Digest> {
  private static final String PREFIX = "sha256:";
  private static final Pattern HEX = Pattern.compile("[0-9a-f]{64}");

  public Digest {
    if (!HEX.matcher(hex).matches()) {
      throw new ImageException.Rejected(
          "not a SHA-256 digest (64 lower-case hex digits): " + Quoted.of(hex));
    }
  }

  /**
   * Reads {@code sha256:<hex>}.
   *
   * @throws ImageException.Rejected if the text is anything else, other algorithms included
   */
  public static Digest parse(String text) {
    if (!text.startsWith(PREFIX)) {
      throw new ImageException.Rejected(
          "unsupported digest " + Quoted.of(text) + "; only sha256:<hex> is known");
    }
    return new Digest(text.substring(PREFIX.length()));
  }

  /** Of the 32 bytes that SHA-256 gives. */
  public static Digest ofBytes(byte[] sha256) {
    return new Digest(HexFormat.of().formatHex(sha256));
  }

  /** The SHA-256 of some bytes. */
  public static Digest sha256(byte[] content) {
    return ofBytes(newSha256().digest(content));
  }

  /** A fresh hasher for {@link #ofBytes}. */
  public static MessageDigest newSha256() {
    try {
      return MessageDigest.getInstance("SHA-256");
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every JVM has SHA-256", e);
    }
  }

  /** The first two hex digits: the fan-out directory of layouts. */
  public String prefix() {
    return hex.substring(0, 2);
  }

  @Override
  public int compareTo(Digest other) {
    return hex.compareTo(other.hex);
  }

  @Override
  public String toString() {
    return PREFIX + hex;
  }
}
