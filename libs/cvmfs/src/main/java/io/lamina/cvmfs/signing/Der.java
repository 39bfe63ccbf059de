package io.lamina.cvmfs.signing;

import java.io.ByteArrayOutputStream;
import java.math.BigInteger;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.time.LocalDateTime;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.Locale;

/** The few DER values that a self-signed certificate and an RSA private key are made of. */
final class Der {
  /** {@code rsaEncryption} (1.2.840.113549.1.1.1) with its NULL parameter. */
  static final byte[] RSA_ENCRYPTION = rsaAlgorithm(1);

  /** {@code sha256WithRSAEncryption} (1.2.840.113549.1.1.11) with its NULL parameter. */
  static final byte[] SHA256_WITH_RSA = rsaAlgorithm(11);

  private static final byte[] COMMON_NAME = {0x55, 0x04, 0x03};
  private static final int FIRST_GENERALIZED_YEAR = 2050;

  private Der() {}

  static byte[] sequence(byte[]... parts) {
    return tagged(0x30, parts);
  }

  static byte[] integer(BigInteger value) {
    return tagged(0x02, value.toByteArray());
  }

  static byte[] octetString(byte[] content) {
    return tagged(0x04, content);
  }

  /** A string of whole bytes. */
  static byte[] bitString(byte[] content) {
    return tagged(0x03, new byte[] {0}, content);
  }

  /** A distinguished name that is only a common name. */
  static byte[] commonName(String name) {
    byte[] text = tagged(0x0c, name.getBytes(StandardCharsets.UTF_8));
    return sequence(tagged(0x31, sequence(tagged(0x06, COMMON_NAME), text)));
  }

  /** Two-digit years up to 2049, four-digit years after, as X.509 wants it. */
  static byte[] time(Instant instant) {
    LocalDateTime utc = LocalDateTime.ofInstant(instant, ZoneOffset.UTC);
    boolean generalized = utc.getYear() >= FIRST_GENERALIZED_YEAR;
    String pattern = generalized ? "uuuuMMddHHmmss'Z'" : "uuMMddHHmmss'Z'";
    String text = DateTimeFormatter.ofPattern(pattern, Locale.ROOT).format(utc);
    return tagged(generalized ? 0x18 : 0x17, text.getBytes(StandardCharsets.US_ASCII));
  }

  private static byte[] rsaAlgorithm(int last) {
    byte[] oid = {0x2a, (byte) 0x86, 0x48, (byte) 0x86, (byte) 0xf7, 0x0d, 0x01, 0x01, (byte) last};
    return sequence(tagged(0x06, oid), tagged(0x05));
  }

  private static byte[] tagged(int tag, byte[]... parts) {
    int length = 0;
    for (byte[] part : parts) {
      length += part.length;
    }
    ByteArrayOutputStream out = new ByteArrayOutputStream(length + 5);
    out.write(tag);
    if (length < 0x80) {
      out.write(length);
    } else {
      byte[] size = BigInteger.valueOf(length).toByteArray();
      int skip = size[0] == 0 ? 1 : 0; // the sign byte
      out.write(0x80 | (size.length - skip));
      out.write(size, skip, size.length - skip);
    }
    for (byte[] part : parts) {
      out.writeBytes(part);
    }
    return out.toByteArray();
  }
}
