package io.lamina.gateway.webhook;

import io.lamina.gateway.problem.GatewayException;
import io.lamina.image.Digest;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermission;
import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.util.List;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;

/**
 * What a registry proves itself by: the file's first line, or its second, while one is replaced by
 * the other. Compared in constant time, never shown. Immutable.
 */
final class WebhookSecret {
  private static final long MAX_FILE_BYTES = 4096;
  private static final int MIN_CHARS = 16;
  private static final int MAX_LINES = 2;
  private static final String HMAC = "HmacSHA256";

  private final List<byte[]> secrets;

  private WebhookSecret(List<byte[]> secrets) {
    this.secrets = List.copyOf(secrets);
  }

  /**
   * @param webhook is named in errors
   * @throws GatewayException.Fatal if the file is not as it should be, without its content
   */
  static WebhookSecret read(String webhook, Path file) {
    String what = "secret file " + file + " of webhook '" + webhook + "'";
    try {
      if (Files.size(file) > MAX_FILE_BYTES) {
        throw new GatewayException.Fatal(what + " is longer than " + MAX_FILE_BYTES + " bytes");
      }
      if (Files.getPosixFilePermissions(file).contains(PosixFilePermission.OTHERS_READ)) {
        throw new GatewayException.Fatal(
            what + " may be read by everybody on this host: chmod 600 " + file);
      }
      List<byte[]> lines =
          Files.readString(file)
              .lines()
              .map(String::strip)
              .filter(line -> !line.isEmpty())
              .map(line -> line.getBytes(StandardCharsets.UTF_8))
              .toList();
      if (lines.isEmpty()
          || lines.size() > MAX_LINES
          || lines.stream().anyMatch(line -> line.length < MIN_CHARS)) {
        throw new GatewayException.Fatal(
            what
                + " must have one secret of at least "
                + MIN_CHARS
                + " characters, or two, each on a line of its own, while one is being replaced");
      }
      return new WebhookSecret(lines);
    } catch (NoSuchFileException e) {
      throw new GatewayException.Fatal("there is no " + what, e);
    } catch (IOException e) {
      throw new GatewayException.Fatal("cannot read the " + what + ": " + e, e);
    }
  }

  /** Whether this text is the secret. */
  boolean is(String presented) {
    byte[] hash = sha256(presented.getBytes(StandardCharsets.UTF_8));
    boolean found = false;
    for (byte[] secret : secrets) {
      // Of the same length, so that time tells nothing of the secret's either.
      found |= MessageDigest.isEqual(sha256(secret), hash);
    }
    return found;
  }

  /** Whether whoever made this HMAC-SHA256 of the body knows the secret. */
  boolean hasSigned(byte[] body, byte[] signature) {
    boolean found = false;
    for (byte[] secret : secrets) {
      found |= MessageDigest.isEqual(hmac(secret, body), signature);
    }
    return found;
  }

  private static byte[] sha256(byte[] bytes) {
    return Digest.newSha256().digest(bytes);
  }

  private static byte[] hmac(byte[] secret, byte[] body) {
    try {
      Mac mac = Mac.getInstance(HMAC);
      mac.init(new SecretKeySpec(secret, HMAC));
      return mac.doFinal(body);
    } catch (GeneralSecurityException e) {
      throw new IllegalStateException("every JVM has " + HMAC, e);
    }
  }

  @Override
  public String toString() {
    return "WebhookSecret[redacted]";
  }
}
