package io.lamina.image.signature;

import io.lamina.image.ImageException;
import io.lamina.image.ImageReference;
import io.lamina.image.policy.NamePattern;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.PublicKey;
import java.security.Signature;
import java.security.interfaces.ECPublicKey;
import java.security.interfaces.EdECPublicKey;
import java.security.interfaces.RSAPublicKey;
import java.security.spec.InvalidKeySpecException;
import java.security.spec.X509EncodedKeySpec;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Which images of registries must be signed, and by whose keys: ECDSA on P-256 and RSA of 2048 bits
 * or more with SHA-256, or Ed25519. Immutable, thread-safe.
 *
 * <p>Source: docs/security.md, "Signatures".
 *
 * @param required repositories whose images must be signed
 * @param keys any of them will do
 */
public record SignaturePolicy(List<NamePattern> required, List<PublicKey> keys) {
  private static final int MAX_FILE_BYTES = 1 << 20;
  private static final int MAX_KEYS = 100;
  private static final int MIN_RSA_BITS = 2048;
  private static final int MAX_RSA_BITS = 8192;
  private static final Pattern PEM =
      Pattern.compile(
          "-----BEGIN PUBLIC KEY-----([A-Za-z0-9+/=\\s]{1,20000})-----END PUBLIC KEY-----");

  /** No image has to be signed. */
  public static final SignaturePolicy NONE = new SignaturePolicy(List.of(), List.of());

  /**
   * @throws ImageException.Rejected if signatures are demanded and there is no key, or a key is of
   *     a kind that cannot be used
   */
  public SignaturePolicy {
    required = List.copyOf(required);
    keys = List.copyOf(keys);
    if (!required.isEmpty() && keys.isEmpty()) {
      throw new ImageException.Rejected(
          "images must be signed (signatures.required), but no public key is given"
              + " (signatures.keys)");
    }
    if (keys.size() > MAX_KEYS) {
      throw new ImageException.Rejected("more than " + MAX_KEYS + " public keys");
    }
    keys.forEach(SignaturePolicy::algorithm);
  }

  /**
   * Reads the public keys of PEM files, one or more in each.
   *
   * @throws ImageException.Rejected naming the file that holds none that can be used
   */
  public static List<PublicKey> read(List<Path> files) {
    List<PublicKey> keys = new ArrayList<>();
    for (Path file : files) {
      int before = keys.size();
      Matcher blocks = PEM.matcher(text(file));
      while (blocks.find()) {
        keys.add(key(file, blocks.group(1)));
      }
      if (keys.size() == before) {
        throw new ImageException.Rejected(
            "no public key in " + file + " (PEM with 'BEGIN PUBLIC KEY', as cosign writes it)");
      }
    }
    return keys;
  }

  private static String text(Path file) {
    try (InputStream in = Files.newInputStream(file)) {
      byte[] bytes = in.readNBytes(MAX_FILE_BYTES + 1);
      if (bytes.length > MAX_FILE_BYTES) {
        throw new ImageException.Rejected(file + " is longer than " + MAX_FILE_BYTES + " bytes");
      }
      return new String(bytes, StandardCharsets.ISO_8859_1);
    } catch (IOException e) {
      throw new ImageException.Rejected("cannot read the public keys in " + file, e);
    }
  }

  private static PublicKey key(Path file, String base64) {
    byte[] der;
    try {
      der = Base64.getMimeDecoder().decode(base64);
    } catch (IllegalArgumentException e) {
      throw new ImageException.Rejected("a public key in " + file + " is not Base64", e);
    }
    for (String kind : List.of("EC", "RSA", "Ed25519")) {
      try {
        PublicKey key = KeyFactory.getInstance(kind).generatePublic(new X509EncodedKeySpec(der));
        algorithm(key);
        return key;
      } catch (InvalidKeySpecException e) {
        // Of another kind; the last one is followed by the message for all.
      } catch (GeneralSecurityException e) {
        throw new IllegalStateException("every JVM has " + kind, e);
      }
    }
    throw new ImageException.Rejected(
        "a public key in " + file + " is none of ECDSA (P-256), RSA and Ed25519");
  }

  /** How signatures by this key are made. */
  private static String algorithm(PublicKey key) {
    return switch (key) {
      case ECPublicKey ec when ec.getParams().getOrder().bitLength() == 256 -> "SHA256withECDSA";
      case RSAPublicKey rsa
          when rsa.getModulus().bitLength() >= MIN_RSA_BITS
              && rsa.getModulus().bitLength() <= MAX_RSA_BITS ->
          "SHA256withRSA";
      case EdECPublicKey ed when ed.getParams().getName().equals("Ed25519") -> "Ed25519";
      default ->
          throw new ImageException.Rejected(
              "a public key is of the kind "
                  + key.getAlgorithm()
                  + " with a curve or length that is not accepted; use ECDSA on P-256, Ed25519, or"
                  + " RSA of 2048 to 8192 bits");
    };
  }

  /** Whether images of this repository must be signed. */
  public boolean demands(ImageReference.Registry image) {
    return required.stream().anyMatch(pattern -> pattern.matches(image));
  }

  /** Whether one of the keys made the signature of these bytes. */
  public boolean isSigned(byte[] payload, byte[] signature) {
    return keys.stream().anyMatch(key -> isSigned(key, payload, signature));
  }

  private static boolean isSigned(PublicKey key, byte[] payload, byte[] signature) {
    try {
      Signature verifier = Signature.getInstance(algorithm(key));
      verifier.initVerify(key);
      verifier.update(payload);
      return verifier.verify(signature);
    } catch (GeneralSecurityException e) {
      // Bytes that are no signature of this kind; another key may know them.
      return false;
    }
  }
}
