package io.lamina.cvmfs.signing;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.lamina.cvmfs.ContentHash;
import io.lamina.cvmfs.CvmfsException;
import io.lamina.cvmfs.Fixture;
import io.lamina.cvmfs.HashAlgorithm;
import io.lamina.cvmfs.RepositoryName;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.Signature;
import java.security.interfaces.RSAPublicKey;
import java.util.Arrays;
import java.util.Optional;
import java.util.Random;
import java.util.zip.Inflater;
import java.util.zip.InflaterInputStream;
import org.junit.jupiter.api.Test;

class SignedManifestTest {
  private static final byte[] FILE = Fixture.file(".cvmfspublished");

  @Test
  void verifiesTheManifestOfTheOriginalPublisher() throws Exception {
    SignedManifest signed = SignedManifest.parse(FILE);

    signed.verify(fixtureCertificate());
    assertThat(signed.manifest().repository()).isEqualTo(Fixture.NAME);
    assertThat(signed.manifest().revision()).isEqualTo(4);
    assertThat(signed.bytes()).isEqualTo(FILE);
  }

  @Test
  void writesTheManifestOfTheOriginalPublisherByteForByte() {
    SignedManifest signed = SignedManifest.parse(FILE);
    byte[] body = signed.manifest().encode();

    assertThat(body).isEqualTo(Arrays.copyOf(FILE, body.length));
    assertThat(new String(FILE, body.length, 3, US_ASCII)).isEqualTo("--\n");
  }

  @Test
  void refusesEveryChangedByte() throws Exception {
    RepositoryCertificate certificate = fixtureCertificate();

    for (int i = 0; i < FILE.length; i++) {
      byte[] changed = FILE.clone();
      changed[i] ^= (byte) (1 << (i % 8));
      assertThatThrownBy(() -> SignedManifest.parse(changed).verify(certificate))
          .as("byte %d", i)
          .isInstanceOf(CvmfsException.Corrupt.class);
    }
  }

  @Test
  void refusesEveryTruncation() throws Exception {
    RepositoryCertificate certificate = fixtureCertificate();

    for (int length = 0; length < FILE.length; length++) {
      byte[] cut = Arrays.copyOf(FILE, length);
      assertThatThrownBy(() -> SignedManifest.parse(cut).verify(certificate))
          .as("%d bytes", length)
          .isInstanceOf(CvmfsException.Corrupt.class);
    }
  }

  @Test
  void refusesAByteAfterTheSignature() throws Exception {
    byte[] longer = Arrays.copyOf(FILE, FILE.length + 1);
    longer[FILE.length] = '\n';
    RepositoryCertificate certificate = fixtureCertificate();

    assertThatThrownBy(() -> SignedManifest.parse(longer).verify(certificate))
        .isInstanceOf(CvmfsException.Corrupt.class)
        .hasMessageContaining("failed to verify the manifest of fixture.lamina.test");
  }

  @Test
  void refusesASignatureWithoutDigestInfo() throws Exception {
    KeyPair pair = keyPair();

    assertThatThrownBy(() -> signedWith(pair, "NONEwithRSA").verify(certificateOf(pair)))
        .isInstanceOf(CvmfsException.Corrupt.class);
  }

  @Test
  void refusesASignatureWithSha256() throws Exception {
    KeyPair pair = keyPair();

    assertThatThrownBy(() -> signedWith(pair, "SHA256withRSA").verify(certificateOf(pair)))
        .isInstanceOf(CvmfsException.Corrupt.class);
    signedWith(pair, "SHA1withRSA").verify(certificateOf(pair));
  }

  @Test
  void refusesAnotherKeysSignature() {
    SignedManifest signed = TestKeys.OTHERS.sign(manifest(TestKeys.NAME));

    assertThatThrownBy(() -> signed.verify(TestKeys.KEYS.certificate()))
        .isInstanceOf(CvmfsException.Corrupt.class);
  }

  @Test
  void signsWhatItCanVerifyAndReadsItBack() {
    SignedManifest signed = TestKeys.KEYS.sign(manifest(TestKeys.NAME));
    SignedManifest read = SignedManifest.parse(signed.bytes());

    read.verify(TestKeys.KEYS.certificate());
    assertThat(read.manifest()).isEqualTo(manifest(TestKeys.NAME));
    assertThat(read.bytes()).hasSize(manifest(TestKeys.NAME).encode().length + 3 + 41 + 256);
  }

  @Test
  void refusesToSignForAnotherRepository() {
    assertThatThrownBy(() -> TestKeys.KEYS.sign(manifest(Fixture.NAME)))
        .isInstanceOf(CvmfsException.Rejected.class)
        .hasMessage("the keys of keys.lamina.test cannot sign for repository fixture.lamina.test");
  }

  @Test
  void refusesToReadAnEndlessFile() {
    byte[] file = new byte[SignedManifest.MAX_READ_BYTES + 1];

    assertThatThrownBy(() -> SignedManifest.parse(file))
        .isInstanceOf(CvmfsException.Corrupt.class)
        .hasMessage("the manifest has 65537 bytes, more than 65536");
  }

  private static SignedManifest signedWith(KeyPair pair, String algorithm) throws Exception {
    byte[] body = manifest(TestKeys.NAME).encode();
    ContentHash hash = SignedText.hashOf(body, HashAlgorithm.SHA1);
    Signature signer = Signature.getInstance(algorithm);
    signer.initSign(pair.getPrivate());
    signer.update(hash.toString().getBytes(US_ASCII));
    ByteArrayOutputStream file = new ByteArrayOutputStream();
    file.writeBytes(body);
    file.writeBytes(("--\n" + hash + "\n").getBytes(US_ASCII));
    file.writeBytes(signer.sign());
    return SignedManifest.parse(file.toByteArray());
  }

  private static KeyPair keyPair() throws Exception {
    KeyPairGenerator generator = KeyPairGenerator.getInstance("RSA");
    generator.initialize(2048);
    return generator.generateKeyPair();
  }

  private static RepositoryCertificate certificateOf(KeyPair pair) throws Exception {
    return RepositoryCertificate.selfSigned(
        TestKeys.NAME,
        (RSAPublicKey) pair.getPublic(),
        pair.getPrivate(),
        new Random(1),
        Fixture.CLOCK);
  }

  private static RepositoryCertificate fixtureCertificate() throws Exception {
    byte[] object = Fixture.file("data/ed/ca61968bd8fc5807f8cd677c74a5fa9121d4c4X");
    try (InflaterInputStream in =
        new InflaterInputStream(new ByteArrayInputStream(object), new Inflater())) {
      return RepositoryCertificate.parse(in.readAllBytes());
    }
  }

  static Manifest manifest(RepositoryName name) {
    return new Manifest(
        name,
        ContentHash.parse("6188c8bb25fd256dd2236b1f1ce833043dbd5b62"),
        57344,
        Manifest.DEFAULT_TTL,
        7,
        true,
        false,
        ContentHash.parse("fd6858ec6e451a6fe9a00ac9c69190f4387e2db1"),
        Optional.empty(),
        1700000000,
        Optional.empty(),
        Optional.of(ContentHash.parse("0fbd49db1002d6566f57d4f82425f6fa950ec064")));
  }
}
