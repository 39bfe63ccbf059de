package io.lamina.cvmfs.signing;

import io.lamina.cvmfs.CvmfsException;
import java.nio.charset.StandardCharsets;
import java.util.Base64;

/** The text armour of keys and certificates. Messages never hold the content. */
final class Pem {
  /** Generous for a 16384-bit RSA key, the largest that the JDK accepts. */
  static final int MAX_BYTES = 64 * 1024;

  private static final int LINE_CHARS = 64;

  private Pem() {}

  static byte[] encode(String label, byte[] der) {
    Base64.Encoder lines = Base64.getMimeEncoder(LINE_CHARS, new byte[] {'\n'});
    return (begin(label) + "\n" + lines.encodeToString(der) + "\n-----END " + label + "-----\n")
        .getBytes(StandardCharsets.US_ASCII);
  }

  static boolean has(String label, byte[] pem) {
    return new String(pem, StandardCharsets.ISO_8859_1).contains(begin(label));
  }

  /**
   * The first block with this label; text around it is ignored.
   *
   * @param what the file, for the message
   */
  static byte[] decode(String label, byte[] pem, String what) {
    if (pem.length > MAX_BYTES) {
      throw new CvmfsException.Rejected(what + " has more than " + MAX_BYTES + " bytes");
    }
    String text = new String(pem, StandardCharsets.ISO_8859_1);
    int mark = text.indexOf(begin(label));
    // Behind the whole mark, whose last dashes could be taken for the first of the other one.
    int start = mark + begin(label).length();
    int end = mark < 0 ? -1 : text.indexOf("-----END " + label + "-----", start);
    if (end < 0) {
      throw new CvmfsException.Rejected(what + " has no PEM block '" + label + "'");
    }
    String base64 = text.substring(start, end);
    if (base64.contains("ENCRYPTED")) {
      throw new CvmfsException.Rejected(
          what + " is protected by a passphrase; remove it with 'openssl rsa'");
    }
    try {
      return Base64.getDecoder().decode(base64.replaceAll("\\s", ""));
    } catch (IllegalArgumentException e) {
      // The cause is dropped: it may quote the content.
      throw new CvmfsException.Rejected(what + " has bad base64 in its PEM block");
    }
  }

  private static String begin(String label) {
    return "-----BEGIN " + label + "-----";
  }
}
