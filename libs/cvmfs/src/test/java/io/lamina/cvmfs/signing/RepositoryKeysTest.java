package io.lamina.cvmfs.signing;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.lamina.cvmfs.CvmfsException;
import io.lamina.cvmfs.Fixture;
import io.lamina.cvmfs.RepositoryName;
import java.io.ByteArrayInputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.SecureRandom;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.Base64;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class RepositoryKeysTest {
  private static final RepositoryKeys KEYS = TestKeys.KEYS;
  private static final RepositoryName NAME = TestKeys.NAME;

  @TempDir Path folder;

  @Test
  void savesTheFourFilesAsTheOriginalToolsNameThem() throws Exception {
    KEYS.save(folder);

    assertThat(mode("masterkey")).isEqualTo("r--------");
    assertThat(mode("key")).isEqualTo("r--------");
    assertThat(mode("pub")).isEqualTo("r--r--r--");
    assertThat(mode("crt")).isEqualTo("r--r--r--");
    assertThat(read("masterkey")).startsWith("-----BEGIN RSA PRIVATE KEY-----\n");
    assertThat(read("pub")).startsWith("-----BEGIN PUBLIC KEY-----\n");
    assertThat(read("crt")).startsWith("-----BEGIN CERTIFICATE-----\n");
    assertThat(read("crt").lines()).allMatch(line -> line.length() <= 64);
  }

  @Test
  void loadsWhatItSaved() {
    KEYS.save(folder);
    RepositoryKeys loaded = RepositoryKeys.load(folder, NAME);

    assertThat(loaded.hasMasterKey()).isTrue();
    SignedManifest signed = loaded.sign(SignedManifestTest.manifest(NAME));
    signed.verify(KEYS.certificate());
    assertThat(signed.bytes()).isEqualTo(KEYS.sign(SignedManifestTest.manifest(NAME)).bytes());
    loaded
        .issueWhitelist(Duration.ofDays(1), Fixture.CLOCK)
        .verify(NAME, KEYS.masterKeys(), Fixture.CLOCK.instant());
    assertThat(MasterKeys.load(folder)).isEqualTo(KEYS.masterKeys());
  }

  @Test
  void loadsPrivateKeysInPkcs8() throws Exception {
    KEYS.save(folder);
    byte[] pkcs1 =
        Base64.getMimeDecoder()
            .decode(read("key").replaceAll("-----[A-Z ]+-----", "").replace("\n", ""));
    byte[] pkcs8 =
        Der.sequence(
            Der.integer(java.math.BigInteger.ZERO), Der.RSA_ENCRYPTION, Der.octetString(pkcs1));
    replace("key", Pem.encode("PRIVATE KEY", pkcs8));

    RepositoryKeys.load(folder, NAME)
        .sign(SignedManifestTest.manifest(NAME))
        .verify(KEYS.certificate());
  }

  @Test
  void publishesWithoutTheMasterKeyButSignsNoWhitelist() throws Exception {
    KEYS.save(folder);
    Files.delete(file("masterkey"));
    RepositoryKeys loaded = RepositoryKeys.load(folder, NAME);

    loaded.sign(SignedManifestTest.manifest(NAME)).verify(KEYS.certificate());
    assertThat(loaded.hasMasterKey()).isFalse();
    assertThatThrownBy(() -> loaded.issueWhitelist(Duration.ofDays(1), Fixture.CLOCK))
        .isInstanceOf(CvmfsException.Rejected.class)
        .hasMessageContaining("keys.lamina.test.masterkey");
  }

  @Test
  void neverOverwritesAKeyAndLeavesNoHalfOfASet() throws Exception {
    Files.writeString(file("key"), "mine");

    assertThatThrownBy(() -> KEYS.save(folder))
        .isInstanceOf(CvmfsException.Rejected.class)
        .hasMessageContaining("keys are never overwritten");
    assertThat(read("key")).isEqualTo("mine");
    assertThat(folder).isDirectoryNotContaining(path -> !path.equals(file("key")));
  }

  @Test
  void refusesAKeyThatDoesNotBelongToTheCertificate() throws Exception {
    KEYS.save(folder);
    replace("crt", TestKeys.OTHERS.certificate().pem());

    assertThatThrownBy(() -> RepositoryKeys.load(folder, NAME))
        .isInstanceOf(CvmfsException.Rejected.class)
        .hasMessageContaining("do not belong to the same key");
  }

  @Test
  void refusesAMasterKeyThatDoesNotBelongToThePublicKey() throws Exception {
    KEYS.save(folder);
    replace("pub", TestKeys.OTHERS.masterPublicPem());

    assertThatThrownBy(() -> RepositoryKeys.load(folder, NAME))
        .isInstanceOf(CvmfsException.Rejected.class)
        .hasMessageContaining("do not belong to the same key");
  }

  @Test
  void saysWhichKeyIsMissing() throws Exception {
    KEYS.save(folder);
    Files.delete(file("key"));

    assertThatThrownBy(() -> RepositoryKeys.load(folder, NAME))
        .isInstanceOf(CvmfsException.NotFound.class)
        .hasMessage("there is no key file " + file("key"));
  }

  @Test
  void showsNothingOfABrokenKey() throws Exception {
    KEYS.save(folder);
    String secret = read("key").replace("\n", "").substring(100, 140);
    String damaged = read("key").replace("A", "B"); // still base64, no longer the numbers of a key
    replace("key", damaged.getBytes(StandardCharsets.US_ASCII));

    assertThatThrownBy(() -> RepositoryKeys.load(folder, NAME))
        .isInstanceOf(CvmfsException.Rejected.class)
        .satisfies(e -> assertThat(stackTraceOf(e)).doesNotContain(secret));
    assertThat(KEYS.toString()).isEqualTo("keys of keys.lamina.test with master key");
  }

  @Test
  void makesACertificateThatVerifiesItself() throws Exception {
    X509Certificate certificate = x509(KEYS);

    certificate.verify(KEYS.certificate().publicKey());
    assertThat(certificate.getVersion()).isEqualTo(1);
    assertThat(certificate.getSigAlgName()).isEqualTo("SHA256withRSA");
    assertThat(certificate.getSubjectX500Principal().getName())
        .isEqualTo("CN=keys.lamina.test CernVM-FS Release Managers");
    assertThat(certificate.getIssuerX500Principal())
        .isEqualTo(certificate.getSubjectX500Principal());
    assertThat(certificate.getNotBefore().toInstant()).isEqualTo("2026-11-22T12:00:00Z");
    assertThat(certificate.getNotAfter().toInstant()).isEqualTo("2027-11-22T12:00:00Z");
    assertThat(certificate.getSerialNumber().signum()).isPositive();
  }

  @Test
  void cutsALongNameInTheCertificate() throws Exception {
    RepositoryName longName =
        new RepositoryName("a-name-of-more-than-thirty-characters.example.org");
    Clock far = Clock.fixed(Instant.parse("2061-01-01T00:00:00Z"), ZoneOffset.UTC);
    X509Certificate certificate = x509(RepositoryKeys.generate(longName, new SecureRandom(), far));

    assertThat(certificate.getSubjectX500Principal().getName())
        .isEqualTo("CN=a-name-of-more-than-thirty-cha[...] CernVM-FS Release Managers");
    assertThat(certificate.getNotBefore().toInstant()).isEqualTo("2061-01-01T00:00:00Z");
  }

  @Test
  void refusesACertificateThatIsNone() {
    assertThatThrownBy(
            () -> RepositoryCertificate.parse(Pem.encode("CERTIFICATE", new byte[] {0x30, 0})))
        .isInstanceOf(CvmfsException.Corrupt.class);
    assertThatThrownBy(() -> RepositoryCertificate.parse(new byte[0]))
        .isInstanceOf(CvmfsException.Corrupt.class);
  }

  @Test
  void refusesABlockWhoseMarksOverlap() {
    byte[] certificate =
        "-----BEGIN CERTIFICATE-----END CERTIFICATE-----".getBytes(StandardCharsets.US_ASCII);
    byte[] key =
        "-----BEGIN PUBLIC KEY-----END PUBLIC KEY-----".getBytes(StandardCharsets.US_ASCII);

    assertThatThrownBy(() -> RepositoryCertificate.parse(certificate))
        .isInstanceOf(CvmfsException.Corrupt.class);
    assertThatThrownBy(() -> MasterKeys.parse(key)).isInstanceOf(CvmfsException.Rejected.class);
  }

  private static X509Certificate x509(RepositoryKeys keys) throws Exception {
    return (X509Certificate)
        CertificateFactory.getInstance("X.509")
            .generateCertificate(new ByteArrayInputStream(keys.certificate().pem()));
  }

  private Path file(String extension) {
    return folder.resolve(NAME + "." + extension);
  }

  private String read(String extension) throws Exception {
    return Files.readString(file(extension));
  }

  private void replace(String extension, byte[] content) throws Exception {
    Files.delete(file(extension));
    Files.write(file(extension), content);
  }

  private String mode(String extension) throws Exception {
    return PosixFilePermissions.toString(Files.getPosixFilePermissions(file(extension)));
  }

  private static String stackTraceOf(Throwable e) {
    java.io.StringWriter text = new java.io.StringWriter();
    e.printStackTrace(new java.io.PrintWriter(text));
    return text.toString();
  }
}
