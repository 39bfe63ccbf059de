package io.lamina.cvmfs.signing;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.lamina.cvmfs.ContentHash;
import io.lamina.cvmfs.CvmfsException;
import io.lamina.cvmfs.Fixture;
import io.lamina.cvmfs.HashAlgorithm;
import java.io.ByteArrayOutputStream;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.Signature;
import java.security.interfaces.RSAPublicKey;
import java.time.Duration;
import java.time.Instant;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class SignedWhitelistTest {
  private static final byte[] FILE = Fixture.file(".cvmfswhitelist");
  private static final MasterKeys FIXTURE_KEYS = MasterKeys.parse(Fixture.publicKey());
  private static final Instant NOW = Fixture.CLOCK.instant();
  private static final String FINGERPRINT =
      "37:C3:9B:6F:81:F3:B9:6C:0D:1B:72:E3:29:4A:8E:33:A4:18:F1:DC";

  @Test
  void verifiesTheWhitelistOfTheOriginalPublisher() {
    SignedWhitelist signed = SignedWhitelist.parse(FILE);
    Whitelist whitelist = signed.verify(Fixture.NAME, FIXTURE_KEYS, NOW);

    assertThat(whitelist.createdAt()).isEqualTo("2026-11-21T23:56:19Z");
    assertThat(whitelist.expiresAt()).isEqualTo("2026-12-21T23:56:19Z");
    assertThat(whitelist.fingerprints())
        .containsExactly(ContentHash.parse("c8e9f57b76b329b21eacb3be95e340f4199195d3"));
    assertThat(signed.bytes()).isEqualTo(FILE);
  }

  @Test
  void writesTheWhitelistOfTheOriginalPublisherByteForByte() {
    byte[] body = SignedWhitelist.parse(FILE).unverified().encode();

    assertThat(body).isEqualTo(Arrays.copyOf(FILE, body.length));
    assertThat(new String(FILE, body.length, 3, US_ASCII)).isEqualTo("--\n");
  }

  @Test
  void refusesEveryChangedByte() {
    for (int i = 0; i < FILE.length; i++) {
      byte[] changed = FILE.clone();
      changed[i] ^= (byte) (1 << (i % 8));
      assertThatThrownBy(
              () -> SignedWhitelist.parse(changed).verify(Fixture.NAME, FIXTURE_KEYS, NOW))
          .as("byte %d", i)
          .isInstanceOf(CvmfsException.Corrupt.class);
    }
  }

  @Test
  void refusesAByteAfterTheSignature() {
    byte[] longer = Arrays.copyOf(FILE, FILE.length + 1);

    assertThatThrownBy(() -> SignedWhitelist.parse(longer).verify(Fixture.NAME, FIXTURE_KEYS, NOW))
        .isInstanceOf(CvmfsException.Corrupt.class)
        .hasMessageContaining("invalid whitelist signature");
  }

  @Test
  void refusesAnExpiredWhitelist() {
    assertThatThrownBy(
            () ->
                SignedWhitelist.parse(FILE)
                    .verify(Fixture.NAME, FIXTURE_KEYS, Instant.parse("2026-12-21T23:00:01Z")))
        .isInstanceOf(CvmfsException.Corrupt.class)
        .hasMessageContaining("expired at 2026-12-21T23:56:19Z");
    SignedWhitelist.parse(FILE)
        .verify(Fixture.NAME, FIXTURE_KEYS, Instant.parse("2026-12-21T23:00:00Z"));
  }

  @Test
  void refusesAnotherRepositorysWhitelist() {
    assertThatThrownBy(() -> SignedWhitelist.parse(FILE).verify(TestKeys.NAME, FIXTURE_KEYS, NOW))
        .isInstanceOf(CvmfsException.Corrupt.class)
        .hasMessage(
            "the whitelist is for repository fixture.lamina.test, expected keys.lamina.test");
  }

  @Test
  void refusesAnotherMasterKeysSignature() {
    SignedWhitelist signed = TestKeys.OTHERS.issueWhitelist(Duration.ofDays(1), Fixture.CLOCK);

    assertThatThrownBy(() -> signed.verify(TestKeys.NAME, TestKeys.KEYS.masterKeys(), NOW))
        .isInstanceOf(CvmfsException.Corrupt.class)
        .hasMessageContaining("none of the 1 master keys for keys.lamina.test made it");
  }

  @Test
  void acceptsTheSignatureOfAnyTrustedMasterKey() {
    SignedWhitelist signed = TestKeys.OTHERS.issueWhitelist(Duration.ofDays(1), Fixture.CLOCK);
    MasterKeys both =
        new MasterKeys(
            List.of(
                TestKeys.KEYS.masterKeys().keys().getFirst(),
                TestKeys.OTHERS.masterKeys().keys().getFirst()));

    Whitelist whitelist = signed.verify(TestKeys.NAME, both, NOW);
    assertThat(whitelist.vouchesFor(TestKeys.OTHERS.certificate())).isTrue();
    assertThat(whitelist.vouchesFor(TestKeys.KEYS.certificate())).isFalse();
  }

  @Test
  void refusesASignatureWithDigestInfo() throws Exception {
    KeyPairGenerator generator = KeyPairGenerator.getInstance("RSA");
    generator.initialize(2048);
    KeyPair pair = generator.generateKeyPair();
    MasterKeys keys = new MasterKeys(List.of((RSAPublicKey) pair.getPublic()));
    byte[] body =
        Whitelist.issue(
                TestKeys.NAME,
                List.of(TestKeys.KEYS.certificate()),
                Whitelist.DEFAULT_LIFE,
                Fixture.CLOCK)
            .encode();

    SignedWhitelist raw = envelope(body, pair, "NONEwithRSA");
    SignedWhitelist withDigestInfo = envelope(body, pair, "SHA1withRSA");

    raw.verify(TestKeys.NAME, keys, NOW);
    assertThatThrownBy(() -> withDigestInfo.verify(TestKeys.NAME, keys, NOW))
        .isInstanceOf(CvmfsException.Corrupt.class)
        .hasMessageContaining("invalid whitelist signature");
  }

  @Test
  void issuesForThirtyDaysFromNow() {
    SignedWhitelist signed = TestKeys.KEYS.issueWhitelist(Whitelist.DEFAULT_LIFE, Fixture.CLOCK);

    assertThat(new String(signed.unverified().encode(), US_ASCII))
        .startsWith("20261122120000\nE20261222120000\nNkeys.lamina.test\n");
    signed.verify(TestKeys.NAME, TestKeys.KEYS.masterKeys(), NOW);
    assertThat(SignedWhitelist.parse(signed.bytes()).unverified()).isEqualTo(signed.unverified());
  }

  @Test
  void refusesToIssueForLessThanClientsCanSee() {
    assertThatThrownBy(() -> TestKeys.KEYS.issueWhitelist(Duration.ofMinutes(59), Fixture.CLOCK))
        .isInstanceOf(CvmfsException.Rejected.class);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        FINGERPRINT,
        "37c39b6f81f3b96c0d1b72e3294a8e33a418f1dc",
        FINGERPRINT + " # release manager",
        FINGERPRINT + "\tsince 2020",
        FINGERPRINT + "#x"
      })
  void readsFingerprintsAsLenientlyAsTheOriginalClient(String line) {
    Whitelist whitelist = parse("20231114221320\nE20331114221320\nNa.b\n" + line + "\n");

    assertThat(whitelist.fingerprints())
        .containsExactly(ContentHash.parse("37c39b6f81f3b96c0d1b72e3294a8e33a418f1dc"));
  }

  @Test
  void writesTheAlgorithmOfAFingerprintInUpperCase() {
    ContentHash hash = ContentHash.of(HashAlgorithm.SHAKE128, new byte[20]);

    assertThat(Whitelist.formatFingerprint(hash)).endsWith(":00-SHAKE128");
    assertThat(
            parse(
                    "20231114221320\nE20331114221320\nNa.b\n"
                        + Whitelist.formatFingerprint(hash)
                        + "\n")
                .fingerprints())
        .containsExactly(hash);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "20231114221320\nE20331114221320\nNa.b\n",
        "2023111422132\nE20331114221320\nNa.b\n" + FINGERPRINT + "\n",
        "20231114221320\nE20331332221320\nNa.b\n" + FINGERPRINT + "\n",
        "20231114221320\n20331114221320\nNa.b\n" + FINGERPRINT + "\n",
        "20231114221320\nE20331114221320\na.b\n" + FINGERPRINT + "\n",
        "20231114221320\nE20331114221320\nN/..\n" + FINGERPRINT + "\n",
        "20231114221320\nE20331114221320\nNa.b\nnot a fingerprint\n"
      })
  void refusesMalformedLines(String body) {
    assertThatThrownBy(() -> parse(body)).isInstanceOf(CvmfsException.Corrupt.class);
  }

  @ParameterizedTest
  @ValueSource(strings = {"Vpkcs7", "Wcachain"})
  void refusesDemandsThatItCannotMeet(String line) {
    assertThatThrownBy(
            () ->
                parse("20231114221320\nE20331114221320\nNa.b\n" + line + "\n" + FINGERPRINT + "\n"))
        .isInstanceOf(CvmfsException.Rejected.class)
        .hasMessageContaining(line.substring(1));
  }

  private static Whitelist parse(String body) {
    return Whitelist.parse(body.getBytes(US_ASCII));
  }

  private static SignedWhitelist envelope(byte[] body, KeyPair pair, String algorithm)
      throws Exception {
    ContentHash hash = SignedText.hashOf(body, HashAlgorithm.SHA1);
    Signature signer = Signature.getInstance(algorithm);
    signer.initSign(pair.getPrivate());
    signer.update(hash.toString().getBytes(US_ASCII));
    ByteArrayOutputStream file = new ByteArrayOutputStream();
    file.writeBytes(body);
    file.writeBytes(("--\n" + hash + "\n").getBytes(US_ASCII));
    file.writeBytes(signer.sign());
    return SignedWhitelist.parse(file.toByteArray());
  }
}
