package io.lamina.journal;

import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;

/**
 * What the writer and the reader of journal files have in common: the words, the bounds, and the
 * running checksum.
 *
 * <p>Source: docs/format/journal-file.md.
 */
final class JournalFormat {
  static final String NAME = "lamina-journal";
  static final int VERSION = 1;
  static final String REPOSITORY = "repository";
  static final String TRANSACTION = "transaction";
  static final String END = "end";
  static final String COMPLETE = "complete";

  /** No line is longer, its end included. */
  static final int MAX_LINE_BYTES = 1024;

  private JournalFormat() {}

  static byte[] ascii(String text) {
    return text.getBytes(StandardCharsets.US_ASCII);
  }

  /** A SHA-256 over everything so far: what is changed, moved or left out anywhere shows. */
  static final class Checksum {
    private static final HexFormat HEX = HexFormat.of();

    private final MessageDigest digest;
    private byte[] state = new byte[0];

    Checksum() {
      try {
        digest = MessageDigest.getInstance("SHA-256");
      } catch (NoSuchAlgorithmException e) {
        throw new IllegalStateException("this JVM has no SHA-256", e);
      }
    }

    /** Takes a line's text before its checksum, and what follows the line. */
    String next(String text, byte[] value) {
      digest.update(state);
      digest.update(ascii(text));
      digest.update((byte) '\n');
      state = digest.digest(value);
      return HEX.formatHex(state);
    }
  }
}
