package io.lamina.image.signature;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.lamina.image.Digest;
import io.lamina.image.ImageException;
import io.lamina.image.policy.NamePattern;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.PublicKey;
import java.security.Signature;
import java.util.Base64;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class SignaturePolicyTest {
  private static final List<NamePattern> ALL = List.of(NamePattern.ALL);

  /** Made with OpenSSL. */
  private static final String OTHERS_KEY =
      "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEPBJ6Ck4Hd8M9Xrz6pHxVOijh"
          + "L/7ytGZGTmjJa5nLAhh17PPrx7c0O3nFSmQ7i1DtomjGZFnTpXUyp8xZKQF+Bg==";

  private static final String OTHERS_SIGNATURE =
      "MEUCIQD9hcwlMoNeHapn+SMsxwA8+va9wNmJYq5kAPtzJP4BLwIgQqVWdq0I"
          + "pN7MC+wxX3St/P8kwqsj9giDyISmZBjMaiU=";

  private static final byte[] PAYLOAD =
      utf8(
          "{\"critical\":{\"identity\":{\"docker-reference\":\"registry.example.org/team/app\"},"
              + "\"image\":{\"docker-manifest-digest\":\"sha256:"
              + "ab".repeat(32)
              + "\"},\"type\":\"cosign container image signature\"},\"optional\":null}");

  @TempDir Path folder;

  @Test
  void knowsASignatureOfAnotherProgram() throws IOException {
    SignaturePolicy policy = new SignaturePolicy(ALL, SignaturePolicy.read(List.of(othersKey())));
    byte[] signature = Base64.getDecoder().decode(OTHERS_SIGNATURE);

    assertThat(policy.isSigned(PAYLOAD, signature)).isTrue();
    assertThat(SignedPayload.image(PAYLOAD)).contains(Digest.parse("sha256:" + "ab".repeat(32)));
    for (int i = 0; i < PAYLOAD.length; i++) {
      byte[] changed = PAYLOAD.clone();
      changed[i] ^= 1;
      assertThat(policy.isSigned(changed, signature)).as("byte " + i).isFalse();
    }
    for (int i = 0; i < signature.length; i++) {
      byte[] changed = signature.clone();
      changed[i] ^= 1;
      assertThat(policy.isSigned(PAYLOAD, changed)).as("byte " + i).isFalse();
    }
  }

  @ParameterizedTest
  @CsvSource({
    "EC, 256, SHA256withECDSA",
    "RSA, 2048, SHA256withRSA",
    "Ed25519, 255, Ed25519",
  })
  void knowsSignaturesOfEachKind(String kind, int bits, String algorithm) throws Exception {
    KeyPair own = keys(kind, bits);
    KeyPair other = keys(kind, bits);
    Path file = folder.resolve("keys.pem");
    Files.writeString(file, pem(keys("EC", 256).getPublic()) + pem(own.getPublic()));
    SignaturePolicy policy = new SignaturePolicy(ALL, SignaturePolicy.read(List.of(file)));

    assertThat(policy.keys()).hasSize(2);
    assertThat(policy.isSigned(PAYLOAD, sign(own, algorithm))).isTrue();
    assertThat(policy.isSigned(PAYLOAD, sign(other, algorithm))).isFalse();
    assertThat(policy.isSigned(PAYLOAD, new byte[0])).isFalse();
    assertThat(policy.isSigned(PAYLOAD, new byte[64])).isFalse();
  }

  @ParameterizedTest
  @CsvSource({"EC, 384", "RSA, 1024", "Ed448, 448"})
  void takesNoKeyOfAnotherKind(String kind, int bits) throws Exception {
    Path file = folder.resolve("key.pem");
    Files.writeString(file, pem(keys(kind, bits).getPublic()));

    assertThatThrownBy(() -> SignaturePolicy.read(List.of(file)))
        .isInstanceOf(ImageException.Rejected.class)
        .hasMessageContaining("P-256");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "x",
        "-----BEGIN PUBLIC KEY-----\n-----END PUBLIC KEY-----",
        "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----",
        "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----",
      })
  void saysWhichFileHoldsNoKey(String text) throws IOException {
    Path file = Files.writeString(folder.resolve("none.pem"), text);

    assertThatThrownBy(() -> SignaturePolicy.read(List.of(file)))
        .isInstanceOf(ImageException.Rejected.class)
        .hasMessageContaining("none.pem");
  }

  @Test
  void demandsNothingThatNobodyCouldMeet() {
    assertThatThrownBy(() -> new SignaturePolicy(ALL, List.of()))
        .isInstanceOf(ImageException.Rejected.class)
        .hasMessageContaining("signatures.keys");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "[]",
        "{}",
        "{\"critical\":1}",
        "{\"critical\":{\"type\":\"cosign container image signature\"}}",
        "{\"critical\":{\"type\":\"cosign container image signature\",\"image\":{\"docker-manifest-digest\":\"x\"}}}",
        "{\"critical\":{\"type\":\"atomic container signature\",\"image\":{\"docker-manifest-digest\":\"sha256:abababababababababababababababababababababababababababababababab\"}}}",
      })
  void takesNoOtherDocumentForAVoucher(String payload) {
    assertThat(SignedPayload.image(utf8(payload))).isEmpty();
  }

  private Path othersKey() throws IOException {
    return Files.writeString(
        folder.resolve("cosign.pub"),
        "-----BEGIN PUBLIC KEY-----\n" + OTHERS_KEY + "\n-----END PUBLIC KEY-----\n");
  }

  private static KeyPair keys(String kind, int bits) throws GeneralSecurityException {
    KeyPairGenerator generator = KeyPairGenerator.getInstance(kind);
    generator.initialize(bits);
    return generator.generateKeyPair();
  }

  private static byte[] sign(KeyPair pair, String algorithm) throws GeneralSecurityException {
    Signature signature = Signature.getInstance(algorithm);
    signature.initSign(pair.getPrivate());
    signature.update(PAYLOAD);
    return signature.sign();
  }

  private static String pem(PublicKey key) {
    return "-----BEGIN PUBLIC KEY-----\n"
        + Base64.getMimeEncoder().encodeToString(key.getEncoded())
        + "\n-----END PUBLIC KEY-----\n";
  }

  private static byte[] utf8(String text) {
    return text.getBytes(StandardCharsets.UTF_8);
  }
}
