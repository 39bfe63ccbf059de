package io.lamina.cvmfs.signing;

import io.lamina.cvmfs.ContentHash;
import io.lamina.cvmfs.CvmfsException;
import io.lamina.cvmfs.HashAlgorithm;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/**
 * The envelope that manifest and whitelist share: lines of text, a line {@code --}, the hash of the
 * lines, and a raw signature of that hash's text up to the end of the file.
 *
 * <p>Source: docs/format/manifest.md, "Envelope". Immutable; arrays are not copied, so they stay
 * inside the package.
 */
record SignedText(byte[] body, ContentHash hash, byte[] signature) {
  /** Far above what any repository writes; clients stop at 64 KiB too. */
  static final int MAX_BYTES = 64 * 1024;

  private static final byte[] SEPARATOR = {'-', '-', '\n'};

  /**
   * Splits the envelope and compares the hash with the lines; the signature is not looked at.
   *
   * @throws CvmfsException.Corrupt if a part is missing or the lines do not have that hash
   */
  static SignedText parse(byte[] file, String what) {
    if (file.length > MAX_BYTES) {
      throw new CvmfsException.Corrupt(
          what + " has " + file.length + " bytes, more than " + MAX_BYTES);
    }
    int bodyEnd = separatorOf(file, what);
    int hashStart = bodyEnd + SEPARATOR.length;
    int hashEnd = lineEnd(file, hashStart);
    if (hashEnd < 0) {
      throw new CvmfsException.Corrupt(what + " ends before its signature");
    }
    String text = ascii(file, hashStart, hashEnd);
    ContentHash promised = parseHash(text, what);
    byte[] body = Arrays.copyOf(file, bodyEnd);
    ContentHash actual = hashOf(body, promised.algorithm());
    if (!actual.equals(promised)) {
      throw new CvmfsException.Corrupt(
          what + " was changed: its lines have the hash " + actual + ", it promises " + promised);
    }
    byte[] signature = Arrays.copyOfRange(file, hashEnd + 1, file.length);
    if (signature.length == 0) {
      throw new CvmfsException.Corrupt(what + " has no signature");
    }
    return new SignedText(body, promised, signature);
  }

  static ContentHash hashOf(byte[] body, HashAlgorithm algorithm) {
    return ContentHash.of(algorithm, algorithm.newDigest().digest(body));
  }

  /** What the signature covers: the hash's text without the line end. */
  byte[] signedBytes() {
    return hash.toString().getBytes(StandardCharsets.US_ASCII);
  }

  byte[] encode() {
    ByteArrayOutputStream out = new ByteArrayOutputStream(body.length + 512);
    out.writeBytes(body);
    out.writeBytes(SEPARATOR);
    out.writeBytes(signedBytes());
    out.write('\n');
    out.writeBytes(signature);
    return out.toByteArray();
  }

  private static ContentHash parseHash(String text, String what) {
    try {
      return ContentHash.parse(text);
    } catch (CvmfsException.Rejected e) {
      throw new CvmfsException.Corrupt(what + " has no hash after its '--' line", e);
    }
  }

  /** Start of the first line that is exactly {@code --}. */
  private static int separatorOf(byte[] file, String what) {
    int start = 0;
    while (true) {
      int end = lineEnd(file, start);
      if (end < 0) {
        throw new CvmfsException.Corrupt(what + " has no '--' line, so it is not signed");
      }
      if (end - start == 2 && file[start] == '-' && file[start + 1] == '-') {
        return start;
      }
      start = end + 1;
    }
  }

  private static int lineEnd(byte[] file, int start) {
    for (int i = start; i < file.length; i++) {
      if (file[i] == '\n') {
        return i;
      }
    }
    return -1;
  }

  private static String ascii(byte[] file, int start, int end) {
    return new String(file, start, end - start, StandardCharsets.ISO_8859_1);
  }
}
